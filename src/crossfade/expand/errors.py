"""What can keep a step of a schema change from being taken. No message holds a value of a row or a password."""

from datetime import timedelta

from crossfade.model.errors import CrossfadeError


class DsnUnreadable(CrossfadeError):
    """The connection string cannot be parsed. Its text is not repeated: it may hold a password."""

    remedy = "Write it as 'host=… port=… dbname=… user=…' or 'postgresql://user@host:port/dbname'."

    def __init__(self) -> None:
        super().__init__("the DSN cannot be read")


class DatabaseUnreachable(CrossfadeError):
    """No connection, or it broke."""

    retryable = True
    remedy = "Check that the server runs, and host, port, database, user and password; then do the same step again."

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate
        code = f" ({sqlstate})" if sqlstate else ""
        super().__init__(f"the database cannot be reached, or the connection broke{code}")


class StatementRefused(CrossfadeError):
    """The server refused a statement; `sqlstate` is its code, `why` its words where they cannot quote a row."""

    def __init__(self, sqlstate: str, why: str) -> None:
        self.sqlstate, self.why = sqlstate, why
        self.remedy = "Mend what the server names, then do the same step again: it goes on where it stopped."
        super().__init__(f"the server refused: {why} ({sqlstate})")


class ChangeImpossible(CrossfadeError):
    """The change does not fit the database; `reasons` holds everything that was found, each with its remedy."""

    def __init__(self, change: str, reasons: tuple[tuple[str, str], ...]) -> None:
        self.change, self.reasons = change, reasons
        self.remedy = " ".join(f"{number}. {remedy}" for number, (_, remedy) in enumerate(reasons, 1))
        told = "; ".join(f"{number}. {problem}" for number, (problem, _) in enumerate(reasons, 1))
        super().__init__(f"{change} cannot be carried out here: {told}")


class AnotherAtWork(CrossfadeError):
    """A session holds the advisory lock of changes to this table."""

    retryable = True

    def __init__(self, table: str) -> None:
        self.table = table
        self.remedy = "Wait until the other one has ended; a killed one lets go as soon as its statement ends."
        super().__init__(f"another crossfade changes {table} at this moment")


class ChangeDiffers(CrossfadeError):
    """The file is not the one by which the change was begun."""

    remedy = "Use the file as it was; to change it, go back with that file first."

    def __init__(self, change: str) -> None:
        self.change = change
        super().__init__(f"{change} was begun by a file that said something else")


class OutOfOrder(CrossfadeError):
    """A step whose predecessor has not been taken, or that comes too late; `stands` is where the change stands."""

    def __init__(self, change: str, stands: str, wanted: str, remedy: str) -> None:
        self.change, self.stands, self.wanted, self.remedy = change, stands, wanted, remedy
        super().__init__(f"{change} stands at {stands}: {wanted} is not possible")


class LockNotGot(CrossfadeError):
    """A table's lock was not granted within any of the short waits, or what stands under it took too long each time.

    `holders` are the server's process ids.
    """

    retryable = True

    def __init__(self, table: str, attempts: int, waited: timedelta, holders: tuple[int, ...]) -> None:
        self.table, self.attempts, self.waited, self.holders = table, attempts, waited, holders
        who = f"processes {', '.join(map(str, holders))} hold it" if holders else "its holders were gone by then"
        self.remedy = (
            "Look in pg_stat_activity for a long transaction or an autovacuum, and whether the server is overloaded;"
            " then do the step again."
        )
        tried = f"in {attempts} attempts over {waited.total_seconds():.0f} s"
        super().__init__(f"no lock on {table}, or not for long enough, {tried}: {who}")


class StillDiverging(CrossfadeError):
    """Rows whose old and new shape do not agree; `rows` in all."""

    remedy = "`crossfade schema backfill` brings them in step; what is left after it is named by `check`."

    def __init__(self, change: str, rows: int) -> None:
        self.change, self.rows = change, rows
        super().__init__(f"{change}: {rows} rows are not in step")


class StillUsed(CrossfadeError):
    """A shape that is about to be taken away is in use, or nobody could see whether it is; each with its remedy."""

    def __init__(self, change: str, uses: tuple[tuple[str, str], ...]) -> None:
        self.change, self.uses = change, uses
        self.remedy = " ".join(remedy for _, remedy in uses)
        super().__init__(f"{change}: {'; '.join(use for use, _ in uses)}")
