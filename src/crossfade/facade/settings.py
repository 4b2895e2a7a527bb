"""What a person may set about a facade, and about one experiment."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from crossfade.facade.errors import NothingDone, SettingsInvalid
from crossfade.facade.outcome import same_errors
from crossfade.facade.segment import SALT

R = TypeVar("R")
_LEAST_SECRET_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FacadeSettings:
    """All may be left out.

    Flags: an answer is kept for `fresh_for` before the provider is asked again, beside the calls; an answer that was
    asked for longer ago than `usable_for` is not used any more, and legacy answers. A call waits for flags only where
    there is no usable answer, and at most `deadline`.

    Shadows: at most `shadows` at a time (threads, or tasks of an event loop), at most `waiting` before them; what comes
    on top is dropped and counted. `timeout` is from the end of the live call to the candidate's.

    `flag` is read by all experiments; without it each reads the flag of its own name.
    `salt` deals users to segments; the same for all experiments, so that a user is on the same side of each.
    `secret` keys the hashes in observations; without it each facade draws its own. Raises SettingsInvalid, all faults.
    """

    fresh_for: timedelta = timedelta(seconds=1)
    usable_for: timedelta = timedelta(seconds=30)
    deadline: timedelta = timedelta(milliseconds=50)
    shadows: int = 4
    waiting: int = 100
    timeout: timedelta = timedelta(seconds=1)
    flag: str | None = None
    salt: str = SALT
    secret: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        none = timedelta()
        rules = (
            (self.fresh_for > none, "fresh_for must be above 0"),
            (self.usable_for >= self.fresh_for, "usable_for must be at least fresh_for"),
            (self.deadline >= none, "deadline must not be below 0"),
            (self.shadows >= 1, "shadows must be at least 1"),
            (self.waiting >= 1, "waiting must be at least 1"),
            (self.timeout > none, "timeout must be above 0"),
            (self.flag != "", "flag must have a name"),
            ("\0" not in self.salt, "salt must not hold a zero byte"),
            (self.secret is None or len(self.secret) >= _LEAST_SECRET_BYTES, "secret must have 16 bytes or more"),
        )
        if faults := tuple(text for holds, text in rules if not holds):
            raise SettingsInvalid(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Generic[R]):
    """How the answers of one experiment are taken. All may be left out.

    `same` and `same_error` compare two values, two exceptions.
    `expected`: exceptions that are answers and no failures ('no such account'); modern's reach the caller as they are.
    `fall_back_on`: failures after which legacy may answer; by default every Exception, with side effects NothingDone
    alone.
    `isolate` copies the arguments for the candidate, and legacy's value for the comparison, `copy.deepcopy` for
    instance: for where implementations or callers change what they are given. Its time is the live call's.
    `mask` makes of a value what may be published of it in clear; without it there is only its keyed hash.
    """

    same: Callable[[R, R], bool] = operator.eq
    same_error: Callable[[BaseException, BaseException], bool] = same_errors
    expected: tuple[type[Exception], ...] = ()
    fall_back_on: tuple[type[Exception], ...] | None = None
    isolate: Callable[[Any], Any] | None = None
    mask: Callable[[R], object] | None = None

    def falls_back_on(self, *, side_effects: bool) -> tuple[type[Exception], ...]:
        if self.fall_back_on is not None:
            return (*self.fall_back_on, NothingDone)
        return (NothingDone,) if side_effects else (Exception,)
