"""What was changed on the source while the migration runs, and not on the target: DDL does not replicate."""

from collections.abc import Iterator

from crossfade.database import state
from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Found, Place
from crossfade.database.session import Session
from crossfade.database.structure import ChangeKind, changes
from crossfade.model.terms import Side


def _drift(name: ChangeKind, why: str, advice: str = "", *, blocks: bool = False, care: bool = False) -> Check:
    severity = BLOCKER if blocks else WARNING
    return Check(name=str(name), severity=severity, place=Place.BETWEEN, why=why, advice=advice, care=care)


TABLE = _drift(
    ChangeKind.TABLE,
    "Once it is published, its first row stops replication; until then its rows stay behind.",
    "Make it there as on the source, then publish and subscribe it, as the look at replication says.",
    blocks=True,
)
COLUMN = _drift(
    ChangeKind.COLUMN,
    "The next row of the table stops replication; nothing is lost, and it goes on when the column is there.",
    blocks=True,
)
TYPE = _drift(
    ChangeKind.TYPE,
    "A value that does not fit the target's type stops replication, in one direction or the other.",
    "It rewrites the table; CDC waits meanwhile.",
    care=True,
)
NOT_NULL = _drift(
    ChangeKind.NOT_NULL,
    "A row without the value, which the source takes, stops replication.",
    "Or set the source's column NOT NULL, too.",
)
DEFAULT = _drift(
    ChangeKind.DEFAULT,
    "Rows that the application writes after the cutover get another value.",
)
INDEX = _drift(
    ChangeKind.INDEX,
    "Replication does not need it; the application does, from the cutover on.",
    "CDC into the table waits while it is made; CONCURRENTLY lets it go on.",
)
CONSTRAINT = _drift(
    ChangeKind.CONSTRAINT,
    "After the cutover nothing would keep rows out that the source refuses, and they could not come back.",
)
REFUSING = _drift(
    ChangeKind.REFUSING,
    "A row that it refuses stops replication. (A foreign key does not: it is not asked where rows are applied.)",
    "Or add it on the source, too.",
    care=True,
)
CHECKS = (TABLE, COLUMN, TYPE, NOT_NULL, DEFAULT, INDEX, CONSTRAINT, REFUSING)


def drifted(source: Session, target: Session) -> Iterator[Found]:
    """Nothing before the target has its schema."""
    if not state.is_installed(target):
        return
    checks = {check.name: check for check in CHECKS}
    for change in changes(source, target):
        check = checks[change.kind]
        yield Found(
            check=check,
            side=Side.TARGET,
            subject=change.subject,
            problem=change.problem,
            sql=change.sql,
            advice=check.advice,
        )
