"""Whether a version of a row is older than the last switch, by the transaction that wrote it."""

from dataclasses import dataclass

from psycopg import sql

from crossfade.verify.errors import StatementFailed
from crossfade.verify.session import Session
from crossfade.verify.statement import RowState

_XIDS = 1 << 32  # an xmin is the low half of the transaction's number, also after the row was frozen
_SURE = 1 << 30  # transactions since the switch; with far more, an old number could be a new one again
_HORIZON = sql.SQL("""
    SELECT (to_jsonb(w) ->> 'horizon')::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    FROM crossfade.writer w
""")


@dataclass(frozen=True, slots=True)
class Horizon:
    """Every transaction numbered below `number` had ended when the side was opened, or closed."""

    number: int

    def is_before(self, state: RowState) -> bool:
        """Whether the version may be newer. A frozen one of long ago can look so; a newer one never looks older."""
        return (int(state.version) - self.number) % _XIDS < _XIDS // 2


def horizon_of(session: Session) -> Horizon | None:
    """As the side itself has noted it; None where it has not, or so long ago that nothing could be told by it.

    Source: PostgreSQL manual, 'Preventing Transaction ID Wraparound Failures' and 'Transaction ID and Snapshot
    Information Functions'.
    """
    try:
        noted = session.rows(_HORIZON)
    except StatementFailed:  # no migration has ever been here
        return None
    for number, following in noted:
        if number is not None and 0 <= following - number < _SURE:
            return Horizon(number)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """What is known of the last switch on both sides."""

    source: Horizon | None = None
    target: Horizon | None = None

    def written_since_switch(self, source: tuple[RowState, ...], target: tuple[RowState, ...]) -> bool | None:
        """See `crossfade.model.seen.Difference`. A row that one side lacks may have been deleted there: None."""
        if self.source is None or self.target is None:
            return None
        if any(self.target.is_before(state) for state in target):
            return True
        alone = len(source) == len(target) == 1
        return False if alone and not self.source.is_before(source[0]) else None
