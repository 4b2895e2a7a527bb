"""What an implementation did: it returned a value or raised an exception; and whether two did the same."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Returned(Generic[R]):
    """A value, after so many seconds."""

    value: R
    seconds: float


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception, after so many seconds."""

    error: BaseException
    seconds: float


class Finding(StrEnum):
    """What came of a call that was not simply answered by one side."""

    MATCHED = "matched"
    DIFFERED = "differed"
    UNCOMPARED = "uncompared"
    """The comparison itself failed."""
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    """The candidate tried to change something, and was not let."""
    DROPPED = "dropped"
    """A shadow that was not run or not finished, so that live calls and memory stay as they are. Only counted."""
    WITHHELD = "withheld"
    """Not run as a shadow, because it has side effects. Only counted."""
    UNIDENTIFIED = "unidentified"
    """No user could be found in the arguments, so only a rollout to everybody includes the call. Only counted."""
    FELL_BACK = "fell_back"
    FAILED = "failed"
    """Modern failed and nothing could answer instead."""
    UNPUBLISHED = "unpublished"
    """An observation that its receiver refused, or that came too fast for it. Only counted."""


def outcome_of(call: Callable[[], R]) -> Returned[R] | Raised:
    """Runs it, and keeps whatever it raises, `SystemExit` included: a shadow ends nobody's program."""
    began = perf_counter()
    try:
        return Returned(call(), perf_counter() - began)
    except BaseException as error:  # noqa: BLE001 - see above
        return Raised(error, perf_counter() - began)


def same_errors(control: BaseException, candidate: BaseException) -> bool:
    """Of the same class, with the same message."""
    return type(control) is type(candidate) and str(control) == str(candidate)


def compared(
    control: Returned[R] | Raised,
    candidate: Returned[R] | Raised,
    same: Callable[[R, R], bool],
    same_error: Callable[[BaseException, BaseException], bool],
) -> Finding:
    """MATCHED or DIFFERED; UNCOMPARED when the comparison raises. A value and an exception always differ."""
    try:
        if isinstance(control, Returned) and isinstance(candidate, Returned):
            alike = bool(same(control.value, candidate.value))
        else:
            both = isinstance(control, Raised) and isinstance(candidate, Raised)
            alike = both and bool(same_error(control.error, candidate.error))  # type: ignore[union-attr]  # by `both`
    except Exception:  # noqa: BLE001 - whatever the application's comparison raises
        return Finding.UNCOMPARED
    return Finding.MATCHED if alike else Finding.DIFFERED
