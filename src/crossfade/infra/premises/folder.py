"""Everything for the data center's side, in one folder. The only module here that touches the disk."""

from pathlib import Path

from crossfade import durable
from crossfade.infra.premises.document import Document
from crossfade.infra.premises.errors import DocumentsDiffer, FolderRefused
from crossfade.infra.premises.firewall import firewall
from crossfade.infra.premises.frr import frr
from crossfade.infra.premises.guide import guide
from crossfade.infra.premises.ios_xe import ios_xe
from crossfade.infra.premises.postgresql import postgresql
from crossfade.infra.premises.router import Router
from crossfade.infra.premises.strongswan import strongswan
from crossfade.model.file import MigrationFile


def documents(file: MigrationFile, router: Router) -> tuple[Document, ...]:
    """All files, the guide to them first."""
    rest = (*strongswan(router), frr(router), *ios_xe(router), firewall(file, router), *postgresql(file))
    return (guide(file, rest), *rest)


def write(folder: Path, found: tuple[Document, ...], *, replacing: bool = False) -> None:
    """Write them below `folder`, the secret ones readable by their owner alone.

    A file that is there already with another content, which somebody may have filled in, stays unless `replacing`:
    then nothing is written at all. Raises DocumentsDiffer or FolderRefused.
    """
    try:
        kept = tuple(d.path for d in found if not replacing and _differs(folder / d.path, d.text))
        if kept:
            raise DocumentsDiffer(folder, kept)
        for document in found:
            path = folder / document.path
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, document.text.encode(), mode=0o600 if document.secret else 0o644)
    except OSError as refusal:
        raise FolderRefused(folder, refusal.strerror or str(refusal)) from refusal


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() != text.encode()
    except FileNotFoundError:
        return False
