"""What can keep a verification from being made. No message holds a value of a row or a password."""

from datetime import timedelta

from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side


class DsnUnreadable(CrossfadeError):
    """The connection string of a side cannot be parsed. Its text is not repeated: it may hold a password."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.remedy = "Write it as 'host=… port=… dbname=… user=…' or 'postgresql://user@host:port/dbname'."
        super().__init__(f"the {side} DSN cannot be read")


class ServerUnreachable(CrossfadeError):
    """No connection to a side, or it broke; `reason` in a few words."""

    retryable = True

    def __init__(self, side: Side, reason: str) -> None:
        self.side, self.reason = side, reason
        self.remedy = f"Check that the {side} server runs, and host, port, database, user and password of its DSN."
        super().__init__(f"the {side} server cannot be reached: {reason}")


class StatementFailed(CrossfadeError):
    """A server refused a statement; `condition` is PostgreSQL's name for why, `sqlstate` its code."""

    def __init__(self, side: Side, condition: str, sqlstate: str) -> None:
        self.side, self.condition, self.sqlstate = side, condition, sqlstate
        self.remedy = (
            "The role needs SELECT on every table to verify; a lock or a change of the table calls for a retry."
        )
        super().__init__(f"the {side} server refused to read: {condition} ({sqlstate})")


class TableMissing(CrossfadeError):
    """Tables that were asked for stand on neither side."""

    def __init__(self, tables: tuple[str, ...]) -> None:
        self.tables = tables
        self.remedy = "Name tables as schema.table; without a schema every schema is searched."
        super().__init__(f"no such table on either side: {', '.join(tables)}")


class RulesUnfit(CrossfadeError):
    """Rules of tables do not fit what stands there; `faults` has them all."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        self.remedy = "Name tables as schema.table, and columns as the catalog writes them."
        super().__init__("; ".join(faults))


class EncodingsDiffer(CrossfadeError):
    """The databases store text in different encodings, so that equal text would have unequal hashes."""

    def __init__(self, source: str, target: str) -> None:
        self.source, self.target = source, target
        self.remedy = "Create the target database with the source's encoding."
        super().__init__(f"the source database is encoded in {source}, the target in {target}")


class ReplicationNotFound(CrossfadeError):
    """Live verification needs logical replication between the two sides, and none was found."""

    def __init__(self, looked_for: str) -> None:
        self.looked_for = looked_for
        self.remedy = "Start replication first, or verify at rest (without --live) while nobody writes."
        super().__init__(f"no logical replication between the two sides: {looked_for}")


class VerificationTooLong(CrossfadeError):
    """It did not end within its time limit; what it had found until then is not told."""

    def __init__(self, limit: timedelta) -> None:
        self.limit = limit
        self.remedy = "Raise the time limit, lower the limits on load, or compare more chunks at the same time."
        super().__init__(f"the verification did not end within {limit.total_seconds():g} s")


class ReplayStalled(CrossfadeError):
    """The other side did not replay up to a position in time."""

    retryable = True

    def __init__(self, slots: tuple[str, ...], waited: timedelta) -> None:
        self.slots, self.waited = slots, waited
        self.remedy = "Look whether the subscription is enabled and what its worker last logged."
        super().__init__(f"replication by {', '.join(slots)} did not catch up within {waited.total_seconds():g} s")
