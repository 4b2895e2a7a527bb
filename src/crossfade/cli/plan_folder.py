"""The folder of a plan on the disk: what people edited stays theirs, the rest becomes what the new plan says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crossfade.cli.sources import OutNotWritten, write_out
from crossfade.model.errors import CrossfadeError
from crossfade.planning.plan.files import INDEX, digest
from crossfade.planning.plan.former import FormerPlanUnusable, Written, read_former


class FolderNotAPlan(CrossfadeError):
    """--out names something that is there and that no plan was written to."""

    remedy = "Name a folder that does not exist yet, or one that `crossfade plan` wrote."

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path} {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the folder's files. `kept`: people edited them, or put them there, so they were left alone."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]


def read_folder(folder: Path) -> Written | None:
    """The plan that was written there; None: there is nothing. Raises FolderNotAPlan, FormerPlanUnusable."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        if not folder.is_dir():
            raise FolderNotAPlan(folder, "is no folder")
        index = folder / INDEX
        if not index.is_file():
            raise FolderNotAPlan(folder, "has files, and no plan.json among them")
        return read_former(index.read_text(encoding="utf-8"))
    except UnicodeDecodeError as exc:
        raise FormerPlanUnusable("is not UTF-8 text") from exc
    except (OSError, ValueError) as refusal:  # ValueError: a null character in the path
        raise FolderNotAPlan(folder, f"cannot be read: {getattr(refusal, 'strerror', None) or refusal}") from refusal


def write_folder(folder: Path, files: Mapping[str, bytes], before: Written | None) -> Outcome:
    """The index last: what an interrupted run leaves behind is taken for edited, never lost. Raises OutNotWritten."""
    digests = before.digests if before else {}
    written, unchanged, kept, removed = [], [], [], []
    for name, content in files.items():
        path = folder / name
        there = _digest(path)
        if there == digest(content):
            unchanged.append(name)
        elif there is not None and name != INDEX and there != digests.get(name):
            kept.append(name)
        else:
            _make(path.parent)
            write_out(path, content)
            written.append(name)
    for name in sorted(digests.keys() - files.keys()):
        path = folder / name
        if _is_within(folder, path) and _digest(path) == digests[name]:
            path.unlink()
            removed.append(name)
    return Outcome(written=tuple(written), unchanged=tuple(unchanged), kept=tuple(kept), removed=tuple(removed))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as refusal:
        problem = f"cannot be made: {refusal.strerror or refusal}"
        raise OutNotWritten(folder, problem, "Name a place where you may write.") from refusal


def _digest(path: Path) -> str | None:
    try:
        return digest(path.read_bytes())
    except OSError:  # it is not there, or nobody may read it: then writing it says why
        return None


def _is_within(folder: Path, path: Path) -> bool:
    """A plan.json that people edited may name anything; only what lies in the folder was ever written."""
    return path.resolve().is_relative_to(folder.resolve())
