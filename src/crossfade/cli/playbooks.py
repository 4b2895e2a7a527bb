"""`crossfade playbooks`: how to go back from every stage of the migration, by engine and by hand."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.migration_file import sound
from crossfade.cli.output import answer, people
from crossfade.engine.wants import wants
from crossfade.infra.names import resource_name, zone_name
from crossfade.infra.premises.document import Document
from crossfade.infra.premises.folder import write
from crossfade.model.file import MigrationFile
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.planning.playbooks.assembly import playbooks as playbooks_of
from crossfade.planning.playbooks.page import as_html, as_markdown
from crossfade.planning.playbooks.records import Landing, Playbooks


def playbooks(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the two files.")] = Path("playbooks"),
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that say something else.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Write playbooks for going back: for each stage of the migration, each component, and when the engine is gone.

    The steps are asked of the runbook itself: what it wants at each stage when somebody asks to go back, in its order.
    Each is told with what the engine does, how one sees that it did, and what to type when it does not. No password
    stands in them. Exit code 1: files are there that say something else, or the system refused; 2: a bad file.

    Example: crossfade playbooks examples/ledger/migration.yaml --out playbooks
    """
    found = written_from(sound(file))
    texts = files_of(found)
    write(out, tuple(Document(path=name, text=text) for name, text in texts.items()), replacing=replace)
    for part in found.parts:
        people.print(Text(f"  {part.title}"), soft_wrap=True)
    people.print(Text.assemble(("✓ ", "green"), f"{out}: {', '.join(texts)}"), soft_wrap=True)
    if json:
        answer(as_json(found, out, tuple(texts)))


def written_from(migration: MigrationFile) -> Playbooks:
    """The playbooks of a file, with the names that its AWS side will have."""
    plan = plan_for_rehearsal(migration, migration.migration.name, 1.0, through_wan=True)
    return playbooks_of(migration, plan, landing_of(migration), wants)


def files_of(found: Playbooks) -> dict[str, str]:
    """The same for people who read text and for those who open a page."""
    return {"playbooks.md": as_markdown(found), "playbooks.html": as_html(found)}


def landing_of(file: MigrationFile) -> Landing:
    """What `crossfade deploy` calls the things that playbooks speak of."""
    moves = bool(file.files.server and file.files.agent)
    shares = [share.name for share in file.files.shares] if moves else []
    return Landing(
        zone=zone_name(file),
        record=f"{file.traffic.dns.record}.{zone_name(file)}",
        database=resource_name(file, "database"),
        vpn=resource_name(file, "vpn"),
        alarm=resource_name(file, "alarm-rollback"),
        forward_tasks={name: resource_name(file, f"task-files-{name}-forward") for name in shares},
        way_back_tasks={name: resource_name(file, f"task-files-{name}-back") for name in shares},
    )


def as_json(found: Playbooks, out: Path, files: tuple[str, ...]) -> dict[str, object]:
    """Where they lie, and which way back each part tells of."""
    return {
        "out": str(out),
        "files": list(files),
        "parts": [
            {
                "title": part.title,
                "way": part.chapter.retreat.way,
                "outcome": part.chapter.retreat.outcome,
                "steps": list(part.steps),
            }
            for part in found.parts
        ],
    }
