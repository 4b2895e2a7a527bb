"""What can go wrong with the database move, and what a person can do about each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockingSession:
    """A session that holds a write lock which the fence waits for. Its query is not kept: it may hold personal data."""

    pid: int
    user: str
    application_name: str
    age: timedelta

    def __str__(self) -> str:
        name = f" ({self.application_name})" if self.application_name else ""
        return f"pid {self.pid} of {self.user}{name}, in a transaction for {self.age.total_seconds():.1f} s"


class SideUnreachable(CrossfadeError):
    """A database does not answer, or the connection broke."""

    retryable = True

    def __init__(self, side: Side, reason: str) -> None:
        self.side, self.reason = side, reason
        self.remedy = f"Bring the {side} database back, or the way to it; then the same step goes on."
        super().__init__(f"the {side} database cannot be reached: {reason}")


class StatementFailed(CrossfadeError):
    """A database refused a statement of ours. `sqlstate` is PostgreSQL's code, `problem` its message without data."""

    def __init__(self, side: Side, sqlstate: str, problem: str) -> None:
        self.side, self.sqlstate, self.problem = side, sqlstate, problem
        self.remedy = f"Remove what the {side} database names, then try again."
        super().__init__(f"the {side} database refused ({sqlstate}): {problem}")

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Deadlocks, lost races and lack of room may pass; a wrong statement does not."""
        if self.sqlstate[:2] in _MAY_PASS or self.sqlstate in _LOST_RACES or "concurrently" in self.problem:
            return True
        return self.sqlstate == "23505" and '"pg_' in self.problem  # of a catalog, not of anybody's rows


class StaleEpoch(CrossfadeError):
    """The databases hold a later epoch: somebody else has switched since."""

    remedy = "Let the engine that holds the later epoch go on; this one must read the journal anew."

    def __init__(self, wanted: int, side: Side, held: int | None) -> None:
        self.wanted, self.side, self.held = wanted, side, held
        later = "a later epoch" if held is None else f"epoch {held}"
        super().__init__(f"epoch {wanted} is over: the {side} database holds {later}")


class TwoWriters(CrossfadeError):
    """Both sides let the application write: the one rule is broken, by a grant that was not ours."""

    remedy = "Stop the application, revoke the write grants on the side that must not write, and verify every row."

    def __init__(self) -> None:
        super().__init__("both databases take application writes")


class WritersStay(CrossfadeError):
    """Sessions hold write locks longer than the fence may wait. The old side takes writes (again)."""

    retryable = True

    def __init__(self, side: Side, sessions: tuple[BlockingSession, ...], *, fenced: bool) -> None:
        self.side, self.sessions, self.fenced = side, sessions, fenced
        self.remedy = "Let these transactions end, or end the sessions with pg_terminate_backend(pid); then try again."
        named = "; ".join(str(session) for session in sessions) or "a session that has ended meanwhile"
        done = "the fence was lifted at once" if fenced else "nothing was fenced"
        super().__init__(f"writers on the {side} database do not leave: {named}; {done}")


class NotDrained(CrossfadeError):
    """The other side did not receive everything in time. The old side takes writes.

    `fenced` tells whether it was kept from them meanwhile.
    """

    retryable = True

    def __init__(self, to: Side, patience: timedelta, *, fenced: bool = False) -> None:
        self.to, self.patience, self.fenced = to, patience, fenced
        self.remedy = "Wait until replication lag is low and the subscription applies, then try again."
        done = "the fence was lifted" if fenced else "nothing was fenced"
        super().__init__(f"the {to} database did not receive the marker within {patience.total_seconds():g} s; {done}")


class GuardTripped(CrossfadeError):
    """The slot of the way back would send changes that the other side already has: going back would break on them."""

    retryable = True

    def __init__(self, to: Side, changes: int) -> None:
        self.to, self.changes = to, changes
        self.remedy = f"Look for somebody who writes to the {to} database besides replication, then try again."
        super().__init__(f"the way back out of the {to} database would repeat {changes} changes; it was not opened")


class SlotLost(CrossfadeError):
    """A replication slot is gone, or is not the one we made: changes are missing, however well it seems to run."""

    def __init__(self, side: Side, slot: str, reason: str) -> None:
        self.side, self.slot, self.reason = side, slot, reason
        anew = "with a full load; never go on with a slot that was made again"
        self.remedy = (
            f"Remove the replication and start it anew {anew}."
            if side is Side.SOURCE
            else f"The target takes writes: take nothing away there. To go back, replicate to the source anew {anew}."
        )
        super().__init__(f"the {side} database lost the replication slot {slot}: {reason}")


class ReplicationNotReady(CrossfadeError):
    """Replication is not in the state that this step builds on."""

    retryable = True

    def __init__(self, publisher: Side, reason: str) -> None:
        self.publisher, self.reason = publisher, reason
        self.remedy = "Look at the subscription's messages in the server log of the receiving side."
        super().__init__(f"replication out of the {publisher} database is not ready: {reason}")


class FullLoadNotDone(CrossfadeError):
    """Some tables are not copied yet."""

    retryable = True
    remedy = "Wait until all tables are copied, then try again."

    def __init__(self, tables: int, tables_copied: int) -> None:
        self.tables, self.tables_copied = tables, tables_copied
        super().__init__(f"the full load is not done: {tables_copied} of {tables} tables are copied")


class TargetHoldsWrites(CrossfadeError):
    """The target is the primary: removing replication would empty the database that the application lives on."""

    remedy = "Fail back to the source first; then remove the replication."

    def __init__(self) -> None:
        super().__init__("the target takes the application's writes and cannot be emptied")


class TargetInUse(CrossfadeError):
    """The target has users and nothing of a migration: it is another's database, or a migration has ended there."""

    remedy = "Name an empty database as the target. Where a migration has just ended, nothing is left to do."

    def __init__(self) -> None:
        super().__init__("the application may write on the target already, and no migration keeps notes there")


class SwitchInProgress(CrossfadeError):
    """Another engine is in the middle of a switch and did not leave."""

    retryable = True
    remedy = "Let the other engine finish; run one engine for a migration."

    def __init__(self, side: Side) -> None:
        self.side = side
        super().__init__(f"another session switches the {side} database")


class ObjectsNotMade(CrossfadeError):
    """Some objects of the schema's second half could not be made. `failures` are by object; the others stand."""

    def __init__(self, side: Side, failures: Mapping[str, CrossfadeError]) -> None:
        self.side, self.failures = side, dict(failures)
        self.remedy = "Remove what stands in the way of each, then try again: what stands is not made again."
        named = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
        super().__init__(f"{len(failures)} objects of the schema were not made on the {side}: {named}")

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Where each of them may pass."""
        return all(failure.retryable for failure in self.failures.values())


class SchemaNotCopied(CrossfadeError):
    """pg_dump or pg_restore failed; `problem` is its last message."""

    def __init__(self, program: str, problem: str) -> None:
        self.program, self.problem = program, problem
        self.remedy = "Use a pg_dump of the target's major version, and a role that may read every table."
        super().__init__(f"{program} failed: {problem}")


_MAY_PASS = {"40", "53", "55", "57"}
_LOST_RACES = {"42704", "42710", "42P01", "42P06", "42P07", "3F000", "02000"}
"""Something is there or gone since we looked, by another engine or one that died: the next look knows."""
