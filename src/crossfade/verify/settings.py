"""What to compare, how gently, and what to tell of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from crossfade.model.terms import Side
from crossfade.verify import live, rest
from crossfade.verify.load import LoadLimits
from crossfade.verify.rules import TableRule


class Values(StrEnum):
    """What is told of the values of a row that differs.

    NONE: nothing, not even read. MASKED: a keyed hash of each, made by the server, so that the value itself never
    leaves it; the key is new in each run. SHOWN: the first 200 characters of its text.
    """

    NONE = "none"
    MASKED = "masked"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySettings:
    """What to compare and how gently.

    `tables` are `schema.table` or `table`; empty means all; `exclude` names some of them in the same way. `schemas`
    empty means all but the system's and our own. `rules` are by the source's table, `schema.table`.
    `slots` names the logical slot on each side while that side is the primary; without one it is looked up.
    `workers` compare as many chunks at the same time, each with a connection to either side.
    `pause` is kept before each chunk. `patience` is for the other side to replay a position. `reconnect_for` is how
    long a server that was lost in the middle is tried again; what was in hand is then compared anew. `time_limit` is
    for the whole comparison; None: it may take as long as it takes.
    `strict` compares the text of values: 1.10 and 1.1 then differ.
    """

    source: str = field(repr=False)
    target: str = field(repr=False)
    tables: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    rules: Mapping[str, TableRule] = field(default_factory=dict)
    slots: Mapping[Side, str] = field(default_factory=dict)
    workers: int = 1
    limits: LoadLimits = field(default_factory=LoadLimits)
    pause: timedelta = timedelta(0)
    patience: timedelta = timedelta(seconds=30)
    reconnect_for: timedelta = timedelta(0)
    statement_timeout: timedelta = timedelta(minutes=10)
    time_limit: timedelta | None = None
    strict: bool = False
    values: Values = Values.NONE
    rest_chunk_rows: int = rest.CHUNK_ROWS
    live_chunk_rows: int = live.CHUNK_ROWS
    settling: live.Settling = live.TWELVE_LOOKS
