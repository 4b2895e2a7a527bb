"""`crossfade synth`: the AWS side of a migration as CloudFormation templates."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.migration_file import complain_of, place_of, sound
from crossfade.cli.output import Exit, answer, complain, people
from crossfade.infra.assembly import Assembly
from crossfade.infra.attached import Attached
from crossfade.infra.demands import demands, notes
from crossfade.infra.errors import TypeNotThere
from crossfade.infra.synthesis import load_libraries, synthesise
from crossfade.model.file import Fault, MigrationFile
from crossfade.model.file.tree import read_tree

Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="TYPE",
        help="Leave out resources of this type, such as AWS::Events::Archive, AWS::DMS::* or, for those with that "
        "property, AWS::CloudWatch::Alarm.Metrics; and what cannot stand without them. Each is told.",
    ),
]


def synth(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for the templates; CDK_OUTDIR wins, which the CDK command line sets."),
    ] = Path("cdk.out"),
    review: Annotated[
        bool, typer.Option("--review", help="Also hold the templates to four reviewers' rule packs; takes longer.")
    ] = False,
    without: Without = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Write everything that the migration needs on AWS as CloudFormation templates, one stack for each part.

    Asks neither AWS nor the network for anything, and needs no account. It needs the optional extra `aws` and Node.
    Exit code 2: the file is faulty, or lacks what the AWS side cannot do without.

    Example: crossfade synth examples/ledger/migration.yaml --out cdk.out
    """
    _, assembly, told = templates(file, out, review=review, without=without)
    if json:
        answer(_as_json(assembly, told))


def templates(
    file: Path, out: Path, *, review: bool = False, without: list[str] | None = None
) -> tuple[MigrationFile, Assembly, tuple[str, ...]]:
    """The templates of the file at `file`, written to `out` and told of; and the notes that were told.

    What cannot become templates ends the command with 2.
    """
    migration = sound(file)
    demand(migration, file)
    attached = attachments(migration, file)
    for note in (told := notes(migration)):
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)
    with people.status("loading the CDK libraries …"):
        load_libraries()
    with people.status(f"writing {out} …"):
        try:
            assembly = synthesise(migration, out, review=review, attached=attached, without=tuple(without or ()))
        except TypeNotThere as slip:
            complain(slip)
            raise typer.Exit(Exit.BAD_INPUT) from slip
    _tell(assembly)
    return migration, assembly, told


def demand(migration: MigrationFile, path: Path) -> None:
    """What the AWS side cannot do without must be in the file; else all that is missing is told, and it ends with 2."""
    missing = tuple(sorted(place_of(path, missed.path, missed.problem, missed.remedy) for missed in demands(migration)))
    if missing:
        complain_of(missing, path)
        raise typer.Exit(Exit.BAD_INPUT)


def attachments(migration: MigrationFile, path: Path) -> Attached:
    """The files that the migration file names, relative to it; what cannot be read is a fault of it."""
    faults: list[Fault] = []

    def text_of(named: str, *within: str) -> str | None:
        try:
            return (path.parent / named).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            faults.append(place_of(path, within, f"{named} cannot be read", "name a file relative to this one"))
            return None

    certificates: dict[str, str] = {}
    for side, end in (("source", migration.database.source), ("target", migration.database.target)):
        if end.root_certificate is not None:
            within = ("database", side, "root_certificate")
            pem = text_of(end.root_certificate, *within)
            if pem is not None and (wrong := _wrong_with(pem)):
                problem, remedy = wrong
                faults.append(place_of(path, within, f"{end.root_certificate} {problem}", remedy))
            certificates[side] = pem or ""
    documents: dict[str, Mapping[str, object]] = {}
    for name, named in migration.servers.configuration.items():
        within = ("servers", "configuration", name)
        text = text_of(named, *within)
        content = _document(text) if text is not None else {}
        if content is None:
            remedy = "write a Command document of Systems Manager, as JSON or YAML, with schemaVersion and mainSteps"
            faults.append(place_of(path, within, f"{named} is no document", remedy))
        documents[name] = content or {}
    if faults:
        complain_of(tuple(sorted(faults)), path)
        raise typer.Exit(Exit.BAD_INPUT)
    return Attached(certificates=certificates, documents=documents)


def _wrong_with(pem: str) -> tuple[str, str] | None:
    """Why it cannot be imported as certificates, and what to do; it is copied into a template."""
    if "PRIVATE KEY" in pem:
        return "holds a private key", "name a file with certificates alone: it is copied into a template"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        return "holds no certificate", "name a file with PEM text, from BEGIN CERTIFICATE to END CERTIFICATE"
    return None


def _document(text: str) -> dict[str, object] | None:
    tree = read_tree(text, "document")
    if tree.faults or not isinstance(tree.data, dict) or not {"schemaVersion", "mainSteps"} <= tree.data.keys():
        return None
    return dict(tree.data)


def _tell(assembly: Assembly) -> None:
    for one in assembly.split_off:
        reason = f"it cannot stand without {one.because_of}" if one.because_of else "of a type that is left out"
        line = f"left out: {one.stack}/{one.resource}, {one.type}: {reason}"
        people.print(Text.assemble(("! ", "yellow"), line), soft_wrap=True)
    width = max(len(stack.name) for stack in assembly.stacks)
    for stack in assembly.stacks:
        people.print(Text(f"  {stack.name.ljust(width)}  {stack.resources:4} resources"), soft_wrap=True)
    count = sum(stack.resources for stack in assembly.stacks)
    line = f"{assembly.folder}: {len(assembly.stacks)} stacks, {count} resources in {assembly.seconds:.1f} s"
    people.print(Text.assemble(("✓ ", "green"), line), soft_wrap=True)


def _as_json(assembly: Assembly, told: tuple[str, ...]) -> dict[str, object]:
    return {
        "out": str(assembly.folder),
        "stacks": [
            {"name": s.name, "template": s.template, "resources": s.resources, "needs": list(s.needs)}
            for s in assembly.stacks
        ],
        "resources": sum(stack.resources for stack in assembly.stacks),
        "left_out": left_out(assembly),
        "notes": list(told),
        "seconds": round(assembly.seconds, 3),
    }


def left_out(assembly: Assembly) -> list[dict[str, object]]:
    """What was split off, as every command's JSON has it."""
    return [
        {"stack": one.stack, "resource": one.resource, "type": one.type, "because_of": one.because_of}
        for one in assembly.split_off
    ]
