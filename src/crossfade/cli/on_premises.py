"""`crossfade on-premises`: what the data center's side must be set to."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.migration_file import complain_of, sound
from crossfade.cli.output import Exit, answer, people
from crossfade.cli.synth import demand
from crossfade.infra.premises.document import Document
from crossfade.infra.premises.folder import documents, write
from crossfade.infra.premises.router import router
from crossfade.infra.premises.vpn_configuration import VpnConfiguration, read_vpn_configuration
from crossfade.infra.premises.xml_tree import MAX_BYTES
from crossfade.model.file import Fault, MigrationFile


def on_premises(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")] = Path("on-premises"),
    vpn_configuration: Annotated[
        Path | None,
        typer.Option(
            metavar="XML",
            help="What AWS says of the deployed VPN: its CustomerGatewayConfiguration. Blanks stand for it without.",
        ),
    ] = None,
    keys: Annotated[
        bool,
        typer.Option("--keys", help="Write the pre-shared keys of XML into the files that only their owner reads."),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that say something else.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Write what the data center's side needs: router (Linux or Cisco IOS-XE), firewall, PostgreSQL.

    Asks nobody, and needs neither an account nor the optional extra. What is not known yet stands as a blank, such as
    `<tunnel-1-aws-address>`, which no device accepts. No key is ever shown. Exit code 1: files are there that say
    something else, or the system refused; 2: a file is faulty, or lacks what the AWS side cannot do without.

    Example: crossfade on-premises examples/ledger/migration.yaml --out on-premises
    """
    migration = sound(file)
    demand(migration, file)
    deployed = _deployed(vpn_configuration, migration)
    found = documents(migration, router(migration, deployed, keys=keys))
    write(out, found, replacing=replace)
    notes = _notes(deployed, keys=keys)
    _tell(out, found, notes)
    if json:
        files = [{"path": d.path, "secret": d.secret, "blanks": list(d.blanks)} for d in found]
        answer({"out": str(out), "files": files, "blanks": _blanks(found), "notes": notes})


def _deployed(path: Path | None, migration: MigrationFile) -> VpnConfiguration | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            found = read_vpn_configuration(file.read(MAX_BYTES + 1), migration)
    except (OSError, ValueError) as refusal:  # ValueError: a null character in the path
        reason = getattr(refusal, "strerror", None) or str(refusal)
        remedy = "name the XML that aws ec2 describe-vpn-connections gives"
        found = (Fault(line=1, column=1, path="", problem=f"cannot be read: {reason}", remedy=remedy),)
    if isinstance(found, VpnConfiguration):
        return found
    complain_of(found, path)
    raise typer.Exit(Exit.BAD_INPUT)


def _blanks(found: tuple[Document, ...]) -> list[str]:
    return sorted({blank for document in found[1:] for blank in document.blanks})  # the first tells of the others'


def _notes(deployed: VpnConfiguration | None, *, keys: bool) -> list[str]:
    if not keys:
        return []
    if deployed is None:
        return ["--keys writes none without --vpn-configuration"]
    hidden = [str(number) for number, tunnel in enumerate(deployed.tunnels, start=1) if tunnel.key is None]
    return [f"the configuration hides the key of tunnel {number}: take it from Secrets Manager" for number in hidden]


def _tell(out: Path, found: tuple[Document, ...], notes: list[str]) -> None:
    for note in notes:
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)
    for document in found:
        people.print(Text(f"  {document.path}{'  (for its owner alone)' if document.secret else ''}"), soft_wrap=True)
    people.print(Text.assemble(("✓ ", "green"), f"{out}: {len(found)} files"), soft_wrap=True)
    if blanks := _blanks(found):
        people.print(Text(f"  to fill in: {', '.join(blanks)}"), soft_wrap=True)
