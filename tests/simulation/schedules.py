"""Schedules of a switch, and what each tells: the same on real servers as on modelled ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from crossfade.database import fence
from crossfade.database.native import NativeReplication
from crossfade.database.port import SWITCH_POINTS
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Replication, WayBack, Writer
from crossfade.model.terms import Side
from tests.simulation.stages import Inside, Stage, writer_of

SOURCE, TARGET = Side
_SOON = timedelta(milliseconds=200)


class Crash(BaseException):
    """What `at` raises: nothing may handle it, as nothing handles a SIGKILL."""


@dataclass(slots=True)
class Told:
    """Gathers what a schedule tells, with epochs counted from where it began."""

    stage: Stage
    role: NativeReplication
    lines: list[Any] = field(default_factory=list)
    base: int = 0

    def __post_init__(self) -> None:
        seen = writer_of(self.role)
        self.base = max(seen.source_epoch, seen.target_epoch)

    def switch(self, to: Side, epoch: int, role: NativeReplication | None = None) -> None:
        try:
            report = (role or self.role).switch(to, self.base + epoch)
        except Crash:
            self.lines.append("crashed")
        except CrossfadeError as error:
            self.lines.append((type(error).__name__, error.retryable, getattr(error, "fenced", None)))
        else:
            names = [name for name, _ in report.moments]
            self.lines.append((report.to, report.epoch - self.base, report.resumed, names))

    def wake(self, primary: Side) -> None:
        try:
            self.role.wake_way_back(primary)
        except CrossfadeError as error:
            self.lines.append(("wake", type(error).__name__))
        else:
            for _ in range(200):  # its sender says a little later than it sends that it streams
                seen = self.role.way_back(primary)
                if isinstance(seen, WayBack) and seen.proven:
                    break
                self.stage.sleep(0.05)
            self.lines.append(("woken", isinstance(seen, WayBack) and seen.proven))

    def writer(self) -> None:
        for _ in range(2000):
            seen = self.role.writer()
            if isinstance(seen, Writer):
                break
            self.stage.sleep(0.05)
        assert isinstance(seen, Writer), seen
        epochs = (seen.source_epoch - self.base, seen.target_epoch - self.base)
        self.lines.append((seen.source_open, seen.target_open, epochs))

    def writes(self, key: str) -> None:
        self.lines.append([(side, self.stage.write(side, f"{key} {side}")) for side in Side])

    def keys(self) -> None:
        """Of both sides, once they are in step or can no longer be."""
        for _ in range(1000):
            if self.stage.keys(SOURCE) == self.stage.keys(TARGET):
                break
            self.stage.sleep(0.02)
        self.lines.append([sorted(self.stage.keys(side)) for side in Side])

    def replication(self, primary: Side, *, looks: int = 30) -> None:
        """Once beats had time to come. More `looks` for a loss that will be seen."""
        seen: Any = None
        for _ in range(looks):
            seen = self.role.replication(primary)
            if not isinstance(seen, Replication):
                break
            self.stage.sleep(0.1)
        self.lines.append(isinstance(seen, Replication) and (seen.copied, seen.applying))


Schedule = Callable[[Stage], list[Any]]


def at(point: str, do: Callable[[], object]) -> Callable[[str], None]:
    def reached(name: str) -> None:
        if name == point:
            do()

    return reached


def _crash() -> None:
    raise Crash


def there_and_back_and_there(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    for epoch, to in enumerate((TARGET, SOURCE, TARGET), start=1):
        told.writes(f"before {epoch}")
        told.role.prepare_switch(to)
        told.switch(to, epoch)
        told.switch(to, epoch)
        told.writer()
        told.wake(to)
        told.keys()
    return told.lines


def crash_of_the_engine(point: str, to: Side, stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    if to is SOURCE:
        told.switch(TARGET, 1)
        told.wake(TARGET)
    told.writes("before")
    told.switch(to, 2, stage.role(at(point, _crash)))
    seen = writer_of(told.role)
    told.lines.append((seen.source_open, seen.target_open))
    told.writes("between")
    told.switch(to, 2)
    told.writer()
    told.wake(to)
    told.writes("after")
    told.keys()
    return told.lines


def crash_of_a_server(point: str, side: Side, stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.writes("before")

    def crash() -> None:
        stage.arrive()  # whether it does is else a matter of chance
        stage.crash(side)

    told.switch(TARGET, 1, stage.role(at(point, crash)))
    stage.start(side)
    told.writer()
    told.switch(TARGET, 1)
    told.switch(TARGET, 2)
    told.wake(TARGET)
    told.keys()
    return told.lines


def crash_of_the_new_primary_after_it_was_opened(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    late = stage.role(at("fencing", lambda: told.lines.append(stage.write(SOURCE, "late"))))
    told.switch(TARGET, 1, late)
    stage.crash(TARGET)
    stage.start(TARGET)
    told.writer()
    told.wake(TARGET)
    told.writes("after")
    told.keys()
    return told.lines


def a_writer_stays(stage: Stage) -> list[Any]:
    told, inside = Told(stage, stage.role()), list[Inside]()
    begin = at("fencing", lambda: inside.append(stage.begin(SOURCE, "month")))
    told.switch(TARGET, 1, stage.role(begin, lock_timeout=_SOON))
    told.writer()
    told.writes("meanwhile")
    inside[0].commit()
    told.switch(TARGET, 2)
    told.wake(TARGET)
    told.keys()
    return told.lines


def a_writer_stays_and_is_ended(stage: Stage) -> list[Any]:
    told, inside = Told(stage, stage.role()), list[Inside]()

    def begin() -> None:
        if not inside:
            inside.append(stage.begin(SOURCE, "month"))

    settings = {"lock_timeout": _SOON, "end_blocking_sessions": True, "attempts": 100}
    told.switch(TARGET, 1, stage.role(at("fencing", begin), **settings))
    told.lines.append(inside[0].ended())
    told.writer()
    told.keys()
    return told.lines


def an_old_transaction(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    inside = stage.begin(SOURCE, "month")
    stage.sleep(0.7)
    told.switch(TARGET, 1, stage.role(quiet_timeout=timedelta(milliseconds=50)))
    told.writer()
    inside.commit()
    told.switch(TARGET, 1)
    told.keys()
    return told.lines


def a_writer_that_was_inside_before_the_fence(stage: Stage) -> list[Any]:
    told, inside = Told(stage, stage.role()), list[Inside]()

    def begin() -> None:
        inside.append(stage.begin(SOURCE, "late"))
        stage.later(lambda: stage.awaited(SOURCE), inside[0].commit)

    told.switch(TARGET, 1, stage.role(at("fencing", begin)))
    told.lines.append(sorted(stage.keys(TARGET)))
    return told.lines


def a_subscriber_that_is_behind(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    with stage.standing_still(TARGET):
        told.lines.append(stage.write(SOURCE, "held"))
        told.switch(TARGET, 1, stage.role(drain_timeout=timedelta(seconds=2)))
    told.writer()
    told.switch(TARGET, 1)
    told.keys()
    return told.lines


def a_stale_epoch(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.switch(TARGET, 5)
    told.wake(TARGET)
    for to, epoch in ((SOURCE, 4), (TARGET, 4), (SOURCE, 5)):
        told.switch(to, epoch)
    told.writer()
    return told.lines


def a_slot_that_is_gone(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    stage.lose_slot(SOURCE)
    told.replication(SOURCE, looks=600)
    told.switch(TARGET, 1)
    told.writer()
    return told.lines


def a_slot_that_was_made_anew(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.replication(SOURCE)
    stage.lose_slot(SOURCE, lost_key="lost")
    told.replication(SOURCE, looks=600)
    told.switch(TARGET, 1)
    told.writer()
    return told.lines


def a_slot_of_the_way_back_that_is_gone(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    stage.lose_slot(TARGET)
    told.switch(TARGET, 1)
    told.writer()
    told.writes("still")
    return told.lines


def a_slot_that_is_not_advanced(stage: Stage) -> list[Any]:
    """What happens when it is advanced before what was applied is on disk."""
    told, kept = Told(stage, stage.role()), fence.advance_script
    fence.advance_script = lambda slot: "SELECT 1"
    try:
        told.switch(TARGET, 1, stage.role(at("fencing", lambda: stage.write(SOURCE, "late"))))
    finally:
        fence.advance_script = kept
    told.writer()
    told.switch(TARGET, 2)
    told.wake(TARGET)
    told.keys()
    return told.lines


def sequences(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.lines.append(stage.write(SOURCE, "one"))
    before = stage.sequence(SOURCE)
    told.switch(TARGET, 1)
    told.lines.append(stage.sequence(TARGET) - before)
    told.wake(TARGET)
    stage.raise_sequence(SOURCE, before + 1_000_000)
    told.switch(SOURCE, 2)
    told.lines.append(stage.sequence(SOURCE) - before)
    return told.lines


def two_roles(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    refused: list[str] = []

    def write() -> None:
        refused.extend(stage.write(side, "no", second_role=second) for side in Side for second in (False, True))

    told.switch(TARGET, 1, stage.role(at("marked", write)))
    told.lines.append(refused)
    told.lines.append([stage.write(side, f"second {side}", second_role=True) for side in Side])
    return told.lines


def a_grant_around_the_fence(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.switch(TARGET, 1)
    stage.grant(SOURCE)
    told.writer()
    told.wake(TARGET)
    told.switch(SOURCE, 2)
    told.wake(SOURCE)
    told.switch(TARGET, 3)
    told.writer()
    return told.lines


def failing_back_before_the_way_back_is_woken(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.switch(TARGET, 1)
    told.writes("only there")
    told.switch(SOURCE, 2)
    told.writer()
    told.wake(TARGET)
    told.switch(SOURCE, 2)
    told.writer()
    told.wake(SOURCE)
    told.keys()
    return told.lines


def the_wrong_side_is_woken(stage: Stage) -> list[Any]:
    told = Told(stage, stage.role())
    told.wake(TARGET)
    told.wake(SOURCE)
    told.writer()
    return told.lines


SCHEDULES: dict[str, Schedule] = {
    schedule.__name__: schedule
    for schedule in (
        there_and_back_and_there,
        crash_of_the_new_primary_after_it_was_opened,
        a_writer_stays,
        a_writer_stays_and_is_ended,
        an_old_transaction,
        a_writer_that_was_inside_before_the_fence,
        a_subscriber_that_is_behind,
        a_stale_epoch,
        a_slot_that_is_gone,
        a_slot_that_was_made_anew,
        a_slot_of_the_way_back_that_is_gone,
        a_slot_that_is_not_advanced,
        sequences,
        two_roles,
        a_grant_around_the_fence,
        failing_back_before_the_way_back_is_woken,
        the_wrong_side_is_woken,
    )
}
SCHEDULES |= {f"engine-{point}-to-target": partial(crash_of_the_engine, point, TARGET) for point in SWITCH_POINTS}
SCHEDULES |= {
    f"engine-{point}-to-source": partial(crash_of_the_engine, point, SOURCE)
    for point in ("fencing", "fenced", "taken_over", "opened")
}
SCHEDULES |= {
    f"{side}-dies-{point}": partial(crash_of_a_server, point, side)
    for side, points in (
        (SOURCE, ("fencing", "fenced", "marked")),
        (TARGET, ("locked", "drained", "guarded", "opened")),
    )
    for point in points
}
