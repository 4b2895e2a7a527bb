"""Reading the users' notes: what failed, how long nothing could be written, who last saw the canary, and the curves."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.users.errands import Errand
from crossfade.rehearsal.users.notes import ACKNOWLEDGED, COLUMNS, REQUESTS, Acknowledged, Attempt

MODERN = "modern"
_WRITES = {errand.value for errand in Errand if errand.writes}


class RecordDamaged(CrossfadeError):
    """The users' notes are missing, or hold a line that they never write."""

    remedy = "The run cannot be judged from these notes: rehearse again."

    def __init__(self, file: Path, line: int, problem: str) -> None:
        self.file, self.line, self.problem = file, line, problem
        super().__init__(f"{file}, line {line}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Attempts by how they ended. `failed`: no answer, or 5xx."""

    requests: int
    failed: int
    acknowledged_writes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOfArm:
    """One second of one arm, by when requests were due. Latencies from due to done; failed requests included."""

    at: datetime
    arm: str
    requests: int
    errors: int
    p50: timedelta
    p95: timedelta


class Record:
    """All attempts of a run, in the order of their ends. `arm` is empty where nobody said."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self.attempts = tuple(sorted(attempts, key=lambda attempt: attempt.done))

    @property
    def requests(self) -> int:
        return len(self.attempts)

    @property
    def failed_requests(self) -> int:
        """Attempts that were answered 5xx, or not at all; one write retried twice counts twice."""
        return sum(map(_failed, self.attempts))

    def counts(self, since: datetime, until: datetime) -> Counts:
        """Of attempts that ended in [since, until)."""
        inside = [a for a in self.attempts if since.timestamp() <= a.done < until.timestamp()]
        return Counts(
            requests=len(inside),
            failed=sum(map(_failed, inside)),
            acknowledged_writes=sum(map(_acknowledged_write, inside)),
        )

    def longest_write_gap(self, since: datetime, until: datetime) -> timedelta:
        """The longest time in [since, until] in which no write was acknowledged; all of it when none was."""
        times = [since.timestamp()]
        times += [a.done for a in self.attempts if _acknowledged_write(a) and times[0] <= a.done <= until.timestamp()]
        times.append(until.timestamp())
        return timedelta(seconds=float(np.diff(times).max()))

    def last_canary_request(self, after: datetime, until: datetime | None = None) -> datetime | None:
        """When the last request that a modern server answered was sent; None when none was sent after `after`.

        What was sent after `until` does not count.
        """
        latest = until.timestamp() if until else float("inf")
        sent = [a.started for a in self.attempts if a.arm == MODERN and after.timestamp() < a.started <= latest]
        return datetime.fromtimestamp(max(sent), UTC) if sent else None

    def series(self) -> tuple[SecondOfArm, ...]:
        """Second by second, in order, a row for each arm that had requests. The rate is `requests`."""
        seconds: dict[tuple[int, str], list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            seconds[int(attempt.due), attempt.arm].append(attempt)
        return tuple(_row(second, arm, seconds[second, arm]) for second, arm in sorted(seconds))


def read_record(out: Path) -> Record:
    """The notes in `out`; also while users are still writing them. Raises RecordDamaged."""
    return Record([*_attempts(out / REQUESTS)])


def read_acknowledged(out: Path) -> tuple[Acknowledged, ...]:
    """Every promise made to the users. Raises RecordDamaged."""
    file = out / ACKNOWLEDGED
    promised = []
    for number, line in _lines(file):
        try:
            promised.append(Acknowledged(**json.loads(line)))
        except (ValueError, TypeError) as exc:
            raise RecordDamaged(file, number, "is not an acknowledgement") from exc
    return tuple(promised)


def _attempts(file: Path) -> Iterator[Attempt]:
    for number, line in _lines(file):
        if number == 1:
            if tuple(line.strip().split(",")) != COLUMNS:
                raise RecordDamaged(file, number, f"should name the columns {','.join(COLUMNS)}")
            continue
        try:
            due, started, done, kind, status, arm, key, attempt = next(csv.reader([line]))
            yield Attempt(
                due=float(due),
                started=float(started),
                done=float(done),
                kind=kind,
                status=int(status),
                arm=arm,
                key=key,
                attempt=int(attempt),
            )
        except ValueError as exc:
            raise RecordDamaged(file, number, "is not a request") from exc


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Whole lines only: the last one may still be under way, or have been cut off when the users were killed."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            yield from ((number, line) for number, line in enumerate(lines, 1) if line.endswith("\n"))
    except (OSError, UnicodeDecodeError) as exc:
        raise RecordDamaged(file, 0, "cannot be read") from exc


def _failed(attempt: Attempt) -> bool:
    return attempt.status == 0 or attempt.status >= 500


def _acknowledged_write(attempt: Attempt) -> bool:
    return attempt.kind in _WRITES and 200 <= attempt.status < 300


def _row(second: int, arm: str, attempts: Sequence[Attempt]) -> SecondOfArm:
    p50, p95 = np.percentile([a.done - a.due for a in attempts], (50, 95))
    return SecondOfArm(
        at=datetime.fromtimestamp(second, UTC),
        arm=arm,
        requests=len(attempts),
        errors=sum(map(_failed, attempts)),
        p50=timedelta(seconds=float(p50)),
        p95=timedelta(seconds=float(p95)),
    )
