"""Who still reads columns, as far as pg_stat_statements shows it; and why it cannot be seen where it cannot."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from crossfade.expand.session import Session

_WHERE = sql.SQL("""
    SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_stat_statements'
""")
# a setting of its own that only the loaded library defines
_TRACKS = sql.SQL("SELECT coalesce(current_setting('pg_stat_statements.track', true), 'none') <> 'none'")
# without it the statements of other roles have no text, and nobody would seem to read
_MAY_READ = sql.SQL("SELECT pg_has_role('pg_read_all_stats', 'USAGE')")
# count(*) reads no column
_CALLS = sql.SQL("""
    SELECT userid::bigint, queryid, sum(calls)::bigint FROM {}
        CROSS JOIN LATERAL regexp_replace(query, 'count\\s*\\(\\s*\\*\\s*\\)', '', 'gi') AS said
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND said ~* %s AND said ~* %s
    GROUP BY userid, queryid
""")
Calls = Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Readers:
    """Statements that name one of the tables and one of the columns, or all of them by a star; writing ones too."""

    session: Session
    tables: tuple[str, ...]
    columns: tuple[str, ...]

    def unseen(self) -> str | None:
        """What to do so that they can be seen; None where they can."""
        if self.session.value(_WHERE) is None:
            return "Install pg_stat_statements"
        if not self.session.value(_TRACKS):
            return "Name pg_stat_statements in shared_preload_libraries and set pg_stat_statements.track to top"
        if not self.session.value(_MAY_READ):
            return "Grant pg_read_all_stats to the role of the DSN, for it sees no other role's statements"
        return None

    def calls(self) -> Calls:
        """How often each has been called so far, by role and statement."""
        view = sql.Identifier(self.session.value(_WHERE), "pg_stat_statements")
        patterns = (_named(self.tables), rf"{_named(self.columns)}|\*")
        return {(role, query): calls for role, query, calls in self.session.rows(_CALLS.format(view), patterns)}

    def since(self, before: Calls) -> int:
        """Calls that came since; what was forgotten meanwhile, because others took its place, hides none of them."""
        now = self.calls()
        return sum(max(0, calls - before.get(each, 0)) for each, calls in now.items())


def _named(names: tuple[str, ...]) -> str:
    """The pattern of a text that names one of them."""
    return "|".join(rf"\m{re.escape(name)}\M" for name in names)
