"""The remedies of what was found, as a script for psql that can be run from its beginning to its end. Pure."""

from collections.abc import Iterable, Sequence

from crossfade.database.preflight.catalog import CHECKS
from crossfade.database.preflight.check import Found
from crossfade.model.terms import Side

_HEAD = """\
-- What preflight found, and what makes it go away. Read it before you run it:
--   psql -d "$SOURCE" -v source="$SOURCE" -v target="$TARGET" -v ON_ERROR_STOP=1 -f THIS_FILE
-- where both are connection strings, 'host=… dbname=… user=…', and passwords come from PGPASSFILE.
-- Statements that take something away or rewrite a table are comments: take off the dashes of those that you want.
"""


def script_of(found: Iterable[Found]) -> str:
    """All remedies that are SQL, in an order that works; what only words help with stands beside them as a comment.

    What was accepted is left out. Passwords stand nowhere in it: the reader gives both connection strings.
    """
    open_ones = ordered([one for one in found if not one.accepted])
    parts = [_HEAD]
    for side in Side:
        of_side = [one for one in open_ones if one.side is side]
        if not of_side:
            continue
        parts.append(f"\n\\connect :{side}\n")
        parts += [_told(one) for one in of_side]
        if restarts := sorted({one.check.name for one in of_side if one.check.restart and one.sql}):
            parts.append(f"\n-- Then restart the {side} server: {', '.join(restarts)}.\n")
    return "".join(parts)


def ordered(found: Sequence[Found]) -> list[Found]:
    """In the order in which their remedies work: that of the catalogue."""
    place = {check.name: number for number, check in enumerate(CHECKS)}
    return sorted(found, key=lambda one: place[one.check.name])


def _told(one: Found) -> str:
    head = f"\n-- {one.check.severity}, {one.check.name}: {_line(one.subject)}: {_line(one.problem)}\n"
    words = f"-- {_line(one.advice)}\n" if one.advice else ""
    if not one.sql:
        return head + words
    lines = [f"-- {line}" if one.check.care else line for line in one.sql.splitlines()]
    return head + words + "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """A name may hold a line break; what follows it must not become a statement."""
    return " ".join(text.split())
