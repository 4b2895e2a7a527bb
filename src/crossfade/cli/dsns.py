"""Connection strings as they come from a command line, read before anybody is called."""

from collections.abc import Mapping

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crossfade.model.errors import CrossfadeError
from crossfade.model.terms import Side
from crossfade.verify.errors import DsnUnreadable


def unreadable(dsns: Mapping[Side, str]) -> list[CrossfadeError]:
    """A fault for each side whose string libpq could not read. No fault repeats the string."""
    return [DsnUnreadable(side) for side, dsn in dsns.items() if not _readable(dsn)]


def _readable(dsn: str) -> bool:
    try:
        conninfo_to_dict(dsn)
    except (psycopg.Error, UnicodeError):
        return False
    return True
