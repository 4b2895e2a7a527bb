"""What a rehearsal amounted to: counted by the users' own ledger, told by the journal, shown in the report."""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from crossfade.invariants import broken_rules_over
from crossfade.journal.witness import HeadWitness
from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import (
    EndMissed,
    EndReached,
    EndWanted,
    EngineStarted,
    FailBackDecided,
    MigrationEnded,
    RollbackDecided,
)
from crossfade.model.terms import Outcome, Side
from crossfade.rehearsal.conductor import Conducted, Conductor
from crossfade.rehearsal.layout import journal_name
from crossfade.rehearsal.ledger.database import DATABASE
from crossfade.rehearsal.users.audit import LedgerAudit, audit, once_it_answers
from crossfade.rehearsal.users.errands import Errand
from crossfade.rehearsal.users.record import MODERN, Record, SecondOfArm, read_record
from crossfade.report.page import write_report
from crossfade.report.series import RESOLUTION, ArmSecond, WriteWindow
from crossfade.report.telemetry import read_progress

WRITES = {errand.value for errand in Errand if errand.writes}
_BEFORE, _AFTER = timedelta(seconds=0.5), timedelta(seconds=1.5)


class ResultNotKept(CrossfadeError):
    """The folder for report and journal cannot be written. The migration itself has ended as it says."""

    remedy = "Make room or name another folder with --report, then `crossfade resume` writes them."

    def __init__(self, folder: Path, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(f"report and journal cannot be kept in {folder}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Times in milliseconds or, where named so, seconds.

    `write_unavailable_ms`: for each switch, the longest time in which no user had a write acknowledged.
    `detection_requests`: requests from the fault until the decision to go back; None without either.
    `rollback_ms`: from that decision until the last request was sent to a modern server.
    `lost_writes`, `duplicate_writes`: the users' acknowledgements against the final primary, documents included.
    `violations`: rules of the runbook that the journal shows broken, in words; empty unless Crossfade is at fault.
    `engine_log`: what engines said, kept when one died or the migration halted; None otherwise, or if they were silent.
    """

    outcome: Outcome
    final_primary: Side
    reason: str
    requests: int
    failed_requests: int
    acknowledged_writes: int
    lost_writes: int
    duplicate_writes: int
    write_unavailable_ms: tuple[float, ...]
    detection_requests: int | None
    rollback_ms: float | None
    verified_rows: int
    differing_rows: int
    resumes: int
    seconds: float
    report: Path
    journal: Path
    engine_log: Path | None
    violations: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """What CONTRACT promises of `rehearse --json`, with reason, engine's log and violations besides."""
        plain = asdict(self)
        return {name: str(value) if isinstance(value, Path) else value for name, value in plain.items()}


def bring_home(conductor: Conductor, conducted: Conducted, reports: Path) -> Result:
    """Let the users finish, count, and write report and journal below `reports`. Raises `ResultNotKept` and others."""
    layout = conductor.layout
    conductor.data_center.retire_users()
    record = read_record(layout.users)
    primary = conducted.state.writer
    dsn = conductor.data_center.clusters[primary].dsn(database=DATABASE)
    counted = once_it_answers(partial(audit, layout.users, dsn, shares=[layout.share(primary)]))
    folder = reports / layout.migration
    result = result_of(conducted, record, counted, folder.absolute(), engine_log=layout.engine_log)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for journal in layout.journals:
            _copy_journal(journal, folder / journal.name)
        if result.engine_log is not None:
            shutil.copyfile(layout.engine_log, result.engine_log)
    except (OSError, sqlite3.Error) as fault:
        raise ResultNotKept(folder, str(fault)) from fault
    since = conducted.entries[0].at if conducted.earlier else datetime.min.replace(tzinfo=UTC)
    write_report(
        result.report,
        entries=conducted.entries,
        progress=[progress for progress in read_progress(layout.telemetry) if progress.at >= since],
        result=result.as_json(),
        seconds=[_arm_second(second) for second in _both_arms(record) if second.at >= since],
        windows=[window_of(entry, record) for entry in switches(conducted.entries)],
    )
    return result


def switches(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries that say that the other side was opened."""
    return tuple(e for e in entries if isinstance(e.event, EndReached) and isinstance(e.event.end, ends.WriterIs))


def result_of(conducted: Conducted, record: Record, counted: LedgerAudit, folder: Path, *, engine_log: Path) -> Result:
    """What the three witnesses say together: journal, users' notes, ledger. Report and journal will lie in `folder`."""
    entries, number = tuple(chain(*conducted.journals)), len(conducted.journals)
    last = entries[-1].event
    verified = [
        e.event for e in entries if isinstance(e.event, EndReached | EndMissed) and e.event.end.kind == "data_verified"
    ]
    turned = next((e for e in entries if isinstance(e.event, RollbackDecided | FailBackDecided)), None)
    resumes = max(sum(isinstance(e.event, EngineStarted) for e in entries) - number, 0)
    wanted = (resumes > 0 or conducted.outcome is Outcome.HALTED) and _says_something(engine_log)
    return Result(
        outcome=conducted.outcome,
        final_primary=conducted.state.writer,
        reason=last.reason if isinstance(last, MigrationEnded) else "",
        requests=record.requests,
        failed_requests=record.failed_requests,
        acknowledged_writes=counted.acknowledged,
        lost_writes=counted.lost + counted.wrong_amounts + counted.wrong_documents,
        duplicate_writes=counted.duplicated,
        write_unavailable_ms=tuple(_unavailable_ms(entry, entries, record) for entry in switches(entries)),
        detection_requests=_detection(conducted, turned, record),
        rollback_ms=_rollback_ms(turned, entries, record),
        verified_rows=max((_number(event.facts, "rows") for event in verified), default=0),
        differing_rows=max((_number(event.facts, "differing_rows") for event in verified), default=0),
        resumes=resumes,
        seconds=round((datetime.now(UTC) - conducted.began).total_seconds(), 1),
        report=folder / ("report.html" if number == 1 else f"report-{number}.html"),
        journal=folder / journal_name(number),
        engine_log=folder / "engine.log" if wanted else None,
        violations=tuple(map(str, broken_rules_over(conducted.journals))),
    )


def _says_something(log: Path) -> bool:
    return log.is_file() and log.stat().st_size > 0


def _unavailable_ms(switch: Entry, entries: Sequence[Entry], record: Record) -> float:
    """Looked for since the switch was first tried: an engine that died within it left the fence standing."""
    assert isinstance(switch.event, EndReached)
    began, ended = _fence(switch)
    tried = [ended - (switch.at - e.at) for e in entries if e.event == EndWanted(end=switch.event.end)]
    return round(record.longest_write_gap(min([*tried, began]) - _BEFORE, ended + _AFTER).total_seconds() * 1000, 1)


def _fence(entry: Entry) -> tuple[datetime, datetime]:
    """From the fence of this switch to the last of its moments, when its entry was made.

    By the clock of the side that was fenced, where that is told: the engine's, and so the journal's, may have jumped.
    """
    facts = entry.event.facts if isinstance(entry.event, EndReached) else {}
    moments = {
        k: timedelta(milliseconds=v) for k, v in facts.items() if k.endswith("_ms") and isinstance(v, int | float)
    }
    last, told = max(moments.values(), default=timedelta(0)), facts.get("fenced_at")
    if isinstance(told, str):
        began = datetime.fromisoformat(told) - moments.get("fenced_ms", timedelta(0))
        return began, began + last
    return entry.at - last, entry.at


def _detection(conducted: Conducted, turned: Entry | None, record: Record) -> int | None:
    if turned is None or not conducted.struck or conducted.struck[0].at > turned.at:
        return None
    return record.counts(conducted.struck[0].at, turned.at).requests


def _rollback_ms(turned: Entry | None, entries: Sequence[Entry], record: Record) -> float | None:
    """Of the first decision to go back. Requests of a later cutover are no part of it."""
    if turned is None:
        return None
    ended = next((e.at for e in entries if isinstance(e.event, MigrationEnded) and e.at >= turned.at), turned.at)
    last = record.last_canary_request(turned.at, ended if ended < entries[-1].at else None)
    return 0.0 if last is None else round((last - turned.at).total_seconds() * 1000, 1)


def _number(facts: Mapping[str, object], name: str) -> int:
    value = facts.get(name)
    return value if isinstance(value, int) else 0


def window_of(entry: Entry, record: Record) -> WriteWindow:
    """A switch seen closely: one of `switches`, and the writes that users got acknowledged around it."""
    event = entry.event
    assert isinstance(event, EndReached)
    assert isinstance(event.end, ends.WriterIs)
    started, ended = _fence(entry)
    since = started - _BEFORE
    bins = int((ended + _AFTER - since) / RESOLUTION)
    done = [a.done - since.timestamp() for a in record.attempts if a.kind in WRITES and 200 <= a.status < 300]
    counts, _ = np.histogram(done, bins=bins, range=(0.0, bins * RESOLUTION.total_seconds()))
    moments = tuple(
        (name.removesuffix("_ms"), timedelta(milliseconds=float(value)))
        for name, value in event.facts.items()
        if name.endswith("_ms") and name != "write_window_ms" and isinstance(value, int | float)
    )
    return WriteWindow(
        to=event.end.side, started=started, moments=moments, acknowledged=tuple(map(int, counts)), before=_BEFORE
    )


def _both_arms(record: Record) -> list[SecondOfArm]:
    return [second for second in record.series() if second.arm]


def _arm_second(second: SecondOfArm) -> ArmSecond:
    return ArmSecond(
        at=second.at,
        arm="canary" if second.arm == MODERN else "baseline",
        requests=second.requests,
        errors=second.errors,
        p50_ms=second.p50.total_seconds() * 1000,
        p95_ms=second.p95.total_seconds() * 1000,
    )


def _copy_journal(origin: Path, copy: Path) -> None:
    """The journal whole, with what its log beside it holds, and its witness."""
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(origin)) as read, closing(sqlite3.connect(copy)) as written:
        read.backup(written)
        written.execute("PRAGMA journal_mode = DELETE")
    head = HeadWitness(origin).read()
    if head is not None:
        HeadWitness(copy).note(head)
