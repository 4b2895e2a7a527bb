"""The steps of a change: expand, backfill, check, contract; and back, until contract has begun.

Each may be taken again after it was cut off, by whatever: it goes on with what is missing. Two at once on one table:
the second is refused. Errors of every step: `DsnUnreadable`, `DatabaseUnreachable`, `StatementRefused`,
`ChangeImpossible`, `AnotherAtWork`, `ChangeDiffers`, `OutOfOrder`, `LockNotGot`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from crossfade.expand.backfill import Backfill, Pacing, Told
from crossfade.expand.change import ChangeFile
from crossfade.expand.divergence import Divergence, diverging
from crossfade.expand.errors import OutOfOrder, StillDiverging, StillUsed
from crossfade.expand.kinds import look
from crossfade.expand.locks import LockTimes, Patience, ShortLocks
from crossfade.expand.session import Session
from crossfade.expand.shape import Shape, Work
from crossfade.expand.state import Place, Stands, State
from crossfade.expand.usage import Confirmed, Usage

_MAY = {
    "expand": {
        Stands.NOTHING,
        Stands.EXPANDING,
        Stands.EXPANDED,
        Stands.BACKFILLING,
        Stands.BACKFILLED,
        Stands.CHECKED,
    },
    "backfill": {Stands.EXPANDED, Stands.BACKFILLING, Stands.BACKFILLED, Stands.CHECKED},
    "check": {Stands.BACKFILLED, Stands.CHECKED},
    "contract": {Stands.CHECKED, Stands.CONTRACTING, Stands.CONTRACTED},
    "back": set(Stands) - {Stands.CONTRACTING, Stands.CONTRACTED},
}
_INSTEAD = {
    Stands.NOTHING: "Begin with `crossfade schema expand`.",
    Stands.EXPANDING: "Do expand again: it goes on where it stopped.",
    Stands.EXPANDED: "Next comes `crossfade schema backfill`.",
    Stands.BACKFILLING: "Do backfill again: it goes on where it stopped.",
    Stands.BACKFILLED: "Next comes `crossfade schema check`.",
    Stands.CHECKED: "Next comes `crossfade schema contract`.",
    Stands.CONTRACTING: "Do contract again: it goes on where it stopped, and there is no way back any more.",
    Stands.CONTRACTED: "The old shape is gone; a change in the other direction is a change of its own.",
    Stands.GOING_BACK: "Do back again: it goes on where it stopped.",
}
_PAST_EXPANSION = frozenset({Stands.BACKFILLING, Stands.BACKFILLED, Stands.CHECKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`quiet`: how long is looked for users of a shape before it is taken away."""

    dsn: str = field(repr=False)
    patience: Patience = field(default_factory=Patience)
    pacing: Pacing = field(default_factory=Pacing)
    quiet: timedelta = timedelta(seconds=60)


class SchemaChange:
    """One change on one database, alone on its table for as long as this is open."""

    def __init__(self, file: ChangeFile, settings: Settings) -> None:
        self._file, self._settings = file, settings
        self._session = Session(settings.dsn)
        self._state = State(self._session, file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def stands(self) -> Stands:
        return self._state.stands

    def plan(self) -> tuple[tuple[str, tuple[Work, ...]], ...]:
        """What each step would do here. Nothing is changed."""
        _, shape = look(self._session, self._file, begun=self.stands is not Stands.NOTHING)
        steps = (
            ("expand", shape.expand),
            ("check", shape.validate),
            ("contract", shape.contract),
            ("back", shape.undo),
        )
        return tuple((step, works) for step, works in steps if works)

    def expand(self, confirmed: Confirmed) -> LockTimes:
        """The new shape stands beside the old one, and each follows what is written to the other."""
        with self._step("expand") as (stands, shape):
            if stands in _PAST_EXPANSION:
                return LockTimes()
            self._raise_used(self._usage(shape).replicated(confirmed))
            self._state.prepare()
            self._state.move(Stands.EXPANDING)
            times = self._carry_out(shape.expand, "expand", but=self._state.has_made("expand"))
            self._state.move(Stands.EXPANDED)
            return times

    def backfill(self, told: Told) -> int:
        """Every row from before is in step; how many were brought there by this run."""
        with self._step("backfill") as (stands, shape):
            if stands is not Stands.BACKFILLING:
                self._state.walked(Place(key=None, rows=0))
            self._state.move(Stands.BACKFILLING)
            needed = shape.unfilled is not None
            done = Backfill(self._session, self._state, shape, self._settings.pacing).run(told) if needed else 0
            self._state.move(Stands.BACKFILLED)
            return done

    def check(self) -> tuple[Divergence, LockTimes]:
        """Every row looked at; where none diverges, constraints are proven and the change may be contracted."""
        with self._step("check") as (_, shape):
            found = diverging(self._session, shape)
            self._state.move(Stands.BACKFILLED)
            if found.diverging:
                return found, LockTimes()
            times = self._carry_out(shape.validate, "check")
            self._state.move(Stands.CHECKED)
            return found, times

    def contract(self, confirmed: Confirmed) -> LockTimes:
        """The old shape is gone. Raises `StillUsed` and `StillDiverging` where it must stay, and changes nothing."""
        with self._step("contract") as (stands, shape):
            if stands is Stands.CONTRACTED:
                return LockTimes()
            if stands is Stands.CHECKED:
                found = diverging(self._session, shape)
                if found.diverging:
                    raise StillDiverging(self._file.name, found.diverging)
                self._raise_used(self._usage(shape).of_old(confirmed, frozenset(self._file.drops)))
            self._state.move(Stands.CONTRACTING)
            times = self._carry_out(shape.contract, "contract", but=self._state.has_made("contract"))
            self._state.move(Stands.CONTRACTED)
            return times

    def back(self, confirmed: Confirmed) -> LockTimes:
        """Everything of the change is gone, and what the new version wrote stands in the old shape."""
        with self._step("back") as (stands, shape):
            if stands is Stands.NOTHING:
                return LockTimes()
            if stands is not Stands.GOING_BACK:
                self._raise_used(self._usage(shape).of_new(confirmed))
            self._state.move(Stands.GOING_BACK)
            made = self._state.has_made("expand")
            times = self._carry_out([each for each in shape.undo if each.undoes is None or each.undoes in made], "back")
            self._state.forget()
            return times

    @contextmanager
    def _step(self, step: str) -> Iterator[tuple[Stands, Shape]]:
        with self._state.alone():
            stands = self._state.stands
            if stands not in _MAY[step]:
                raise OutOfOrder(self._file.name, stands.value, step, _INSTEAD[stands])
            begun = stands is not Stands.NOTHING and not (
                stands is Stands.EXPANDING and not self._state.has_made("expand")
            )
            _, shape = look(self._session, self._file, begun=begun)
            yield stands, shape

    def _usage(self, shape: Shape) -> Usage:
        return Usage(self._session, shape, self._file.name, self._settings.quiet)

    def _raise_used(self, uses: Iterator[tuple[str, str]]) -> None:
        if found := tuple(uses):
            raise StillUsed(self._file.name, found)

    def _carry_out(self, works: Sequence[Work], step: str, but: frozenset[str] = frozenset()) -> LockTimes:
        locks = ShortLocks(self._session, self._state, self._settings.patience)
        for work in works:
            if work.name not in but:
                locks.carry_out(work, step)
        return locks.times
