"""Decision records around a plan: those of people, beside the migration file or accepted in the plan's own folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from crossfade.cli.output import people
from crossfade.cli.records import listed
from crossfade.model.file import MigrationFile
from crossfade.planning.decisions.approaches import matrix_of
from crossfade.planning.decisions.drafting import Circumstances
from crossfade.planning.decisions.folder import Records
from crossfade.planning.decisions.record import Record, Status, written
from crossfade.planning.decisions.standing import proposal
from crossfade.planning.inventory.cells import text as visible
from crossfade.planning.plan import MigrationPlan
from crossfade.planning.plan.files import digest
from crossfade.planning.plan.former import Written

FOLDER = "decisions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The records that people wrote or edited, by number. `next_number` is above every number that they took.

    `is_open`: nobody wrote any. A proposal of a former plan that nobody edited is none of people's.
    """

    records: tuple[Record, ...]
    next_number: int
    is_open: bool


def decided(migration: MigrationFile | None, file: Path | None, out: Path, before: Written | None) -> Decided:
    """What lies in the folder that the migration file names, and in the plan's; what is faulty is told and left out.

    Ends the command with 2 when a folder cannot be listed.
    """
    proposed = {name.removeprefix(f"{FOLDER}/"): told for name, told in before.digests.items()} if before else {}
    records: dict[int, Record] = {}
    names: list[str] = []
    for folder in _folders(migration, file, out):
        found = listed(folder, may_be_missing=True)
        of_plan = proposed if folder == out / FOLDER else {}
        unread = {name for name, page in found.pages.items() if of_plan.get(name) == digest(page.text.encode())}
        for fault in found.faults:
            says = f"{folder / fault.file}: {visible(fault.problem)}; the plan is without what cannot be read → "
            people.print(Text.assemble(("! ", "yellow"), says, fault.remedy), soft_wrap=True)
        names += (name for name in _named(found) if name not in unread)
        for name, record in found.records.items():
            if name not in unread:
                records.setdefault(record.number, record)
    taken = [*(int(name[:4]) for name in names if name[:4].isdecimal()), *records]
    in_order = tuple(records[number] for number in sorted(records))
    return Decided(records=in_order, next_number=max(taken, default=0) + 1, is_open=not names)


def decision_files(plan: MigrationPlan, known: Decided) -> dict[str, bytes]:
    """The record to decide on, by its path in the plan's folder: the first, or one that another option leads by now."""
    matrix = matrix_of(plan.file.planning.decision)
    if isinstance(matrix, tuple):  # what cannot be weighed, the report says
        return {}
    around = Circumstances(
        context=plan.file.migration.description, success_criteria=plan.file.planning.success_criteria
    )
    if not known.records and not known.is_open:  # what people wrote cannot be read, and may be the decision
        return {}
    record = proposal(matrix, known.records, known.next_number, plan.on, around)
    if record is None:
        return {}
    return {f"{FOLDER}/{record.file_name}": written(record).encode()}


def tell_decided(known: Decided, proposed: dict[str, bytes]) -> None:
    """Which decisions hold, and what is proposed beside them."""
    for record in known.records:
        if record.status is Status.ACCEPTED:
            says = f"decided: {record.number}. {visible(record.title)}, {record.decided}"
            people.print(Text.assemble(("✓ ", "green"), says), soft_wrap=True)
    for name in proposed:
        people.print(f"to decide on: {name}", soft_wrap=True)


def _folders(migration: MigrationFile | None, file: Path | None, out: Path) -> Iterator[Path]:
    """Each once: the plan may be written around its own migration file."""
    own = out / FOLDER
    yield own
    if migration is not None and file is not None:
        beside = file.parent / migration.planning.decision.records
        if beside.resolve() != own.resolve():
            yield beside


def _named(found: Records) -> Iterator[str]:
    yield from found.pages
    yield from (fault.file for fault in found.faults if fault.file not in found.pages)
