"""Records as files: a new one, and one that supersedes another, with both links or neither."""

from collections.abc import Mapping
from pathlib import Path

from crossfade import durable
from crossfade.model.errors import CrossfadeError
from crossfade.planning.decisions.folder import Records, records_of
from crossfade.planning.decisions.page import Page
from crossfade.planning.decisions.reading import RecordFault
from crossfade.planning.decisions.record import FieldName, Record, Status, links, written


class RecordUnknown(CrossfadeError):
    """A number that no record of the folder has."""

    remedy = "Name one of the folder's records by its number."

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"there is no record {number}")


class RecordsWouldBeFaulty(CrossfadeError):
    """What was asked for would leave records that contradict each other; nothing was written."""

    remedy = "Correct what is named, then do the same again."

    def __init__(self, faults: tuple[RecordFault, ...]) -> None:
        self.faults = faults
        told = "; ".join(f"{fault.file} {fault.problem}" for fault in faults)
        super().__init__(f"nothing was written, for then {told}")


class RecordNotWritten(CrossfadeError):
    """The operating system refused."""

    retryable = True
    remedy = "Name a folder where you may write, then let `crossfade records check` tell what is missing."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path} cannot be written: {why}")


def keep(folder: Path, found: Records, record: Record) -> Path:
    """Write a new record to `folder`, which is made, and mark those that it supersedes; returns its path.

    The new one is written first: after a crash `records check` tells the link that only one of the two has. Raises
    `RecordUnknown`, `RecordsWouldBeFaulty` and `RecordNotWritten`.
    """
    names = {**found.names, record.number: record.file_name}
    pages = {record.file_name: Page.of(written(record, names))}
    for old in record.supersedes:
        pages |= _marked(found, old, record.number, names)
    _write(folder, found, pages)
    return folder / record.file_name


def supersede(folder: Path, found: Records, old: int, new: int) -> None:
    """Let record `new` supersede `old`: both links and the old one's status, and no other line.

    Doing it twice is harmless. Raises as `keep` does.
    """
    names = found.names
    if new not in names:
        raise RecordUnknown(new)
    page, record = found.pages[names[new]], found.records[names[new]]
    told = links(tuple(dict.fromkeys((*record.supersedes, old))), names)
    pages = {names[new]: page.with_field(FieldName.SUPERSEDES, told)} if old != new else {}
    _write(folder, found, pages | _marked(found, old, new, names))


def _marked(found: Records, old: int, new: int, names: Mapping[int, str]) -> dict[str, Page]:
    if old not in found.names:
        raise RecordUnknown(old)
    name = names[old]
    by = tuple(dict.fromkeys((*found.records[name].superseded_by, new)))
    page = found.pages[name].with_field(FieldName.STATUS, Status.SUPERSEDED.value)
    return {name: page.with_field(FieldName.SUPERSEDED_BY, links(by, dict(names)))}


def _write(folder: Path, found: Records, pages: Mapping[str, Page]) -> None:
    """Everything in the order of `pages`, once the folder as it will be has no fault that it has not today."""
    texts = {name: page.text for name, page in {**found.pages, **pages}.items()}
    new = tuple(fault for fault in records_of(texts).faults if fault not in found.faults)
    if new:
        raise RecordsWouldBeFaulty(new)
    for name, page in pages.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            durable.replace(folder / name, page.text.encode())
        except OSError as refusal:
            raise RecordNotWritten(folder / name, refusal.strerror or str(refusal)) from refusal
