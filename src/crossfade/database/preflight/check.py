"""What preflight knows of one kind of fault, and of one that it found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from crossfade.model.seen import Finding, Severity
from crossfade.model.terms import Side

BLOCKER, WARNING = Severity.BLOCKER, Severity.WARNING


class Place(StrEnum):
    """Which side is asked. `BETWEEN` compares the two, and its remedy runs on the target."""

    SOURCE = "source"
    TARGET = "target"
    EACH = "each side"
    BETWEEN = "both sides"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One kind of fault.

    `why` is what goes wrong later without a remedy; `advice` what to do, in words, beside the SQL.
    `query` answers with rows of (subject, problem, SQL or null), the subject null for the server itself; without one
    the two sides are compared in code. `since` and `until` are the major versions of the server that is asked.
    `care`: the SQL takes something away or rewrites a table, so a person decides. `restart`: it counts after a restart.
    `dms`: only where DMS moves the rows. `rds`: what to do instead of the SQL where RDS gives no such right.
    """

    name: str
    severity: Severity
    place: Place
    why: str
    advice: str
    query: str = ""
    care: bool = False
    restart: bool = False
    dms: bool = False
    rds: str = ""
    since: int = 13
    until: int = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One fault that was found. `sql` runs on `side`; empty where only words help. `accepted` says why it may stay."""

    check: Check
    side: Side
    subject: str
    problem: str
    sql: str = ""
    advice: str = ""
    accepted: str = ""

    @property
    def finding(self) -> Finding:
        where = " on the target." if self.side is Side.TARGET and self.sql else ""
        remedy = f"{self.sql}{where} {self.advice}" if self.sql else self.advice
        return Finding(
            severity=self.check.severity,
            subject=self.subject,
            problem=self.problem,
            remedy=remedy.strip(),
            accepted=self.accepted,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`accepted` are warnings that may stay, by subject, with the reason. Times and sizes are limits of checks.

    `lob_limit_bytes`: the server cannot send a larger value, for its text is twice as long and ends at 1 GiB; half of
    that leaves room for the rest of the row. `rate_window` is the least time over which WAL is measured.
    """

    dms: bool = False
    numeric_scale_given: bool = False
    accepted: Mapping[str, str] = field(default_factory=dict)
    long_transaction: timedelta = timedelta(seconds=30)
    lob_limit_bytes: int = 256 * 2**20
    rate_window: timedelta = timedelta(minutes=1)
