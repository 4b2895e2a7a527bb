"""The switch of the one writer from one side to the other, in either direction by the same code.

Whoever holds an advisory lock on both sides may switch; what the two databases say is the only state. So after a crash
at any point a new switch with the same epoch looks, and goes on or finds the end reached.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

from crossfade.database import fence, state
from crossfade.database.attempt import Attempt
from crossfade.database.channel import Channel
from crossfade.database.drift import refuse_drift
from crossfade.database.errors import (
    GuardTripped,
    NotDrained,
    ReplicationNotReady,
    SlotLost,
    StaleEpoch,
    StatementFailed,
    TwoWriters,
    WritersStay,
)
from crossfade.database.nudge import answer_while_nudging, run_while_nudging
from crossfade.database.session import CANCELLED, LOCK_TIMEOUT, MACHINE, Pace, Rows, Session
from crossfade.database.settings import NativeSettings
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import SwitchReport
from crossfade.model.terms import Side

Connect = Callable[[Side], Session]
At = Callable[[str], None]
_MARGIN = timedelta(seconds=1.5)  # between a server's own time limit and ours for its answer
_FLOWING = timedelta(milliseconds=500)  # a marker's way there and our hearing of it, over any WAN
_IN_PASSING = timedelta(milliseconds=500)  # transactions younger than this are expected to end by themselves


def nothing(point: str) -> None:
    """Do nothing at the points of the switch."""


class Switch:
    """`to` becomes the only side that takes writes. `at` is called at each point, to inject faults there."""

    def __init__(self, settings: NativeSettings, connect: Connect, at: At | None = None, pace: Pace = MACHINE) -> None:
        self._settings, self._connect, self._pace = settings, connect, pace
        self._at = None if at is nothing else at

    def perform(self, to: Side, epoch: int) -> SwitchReport:
        """See `crossfade.database.port.Database.switch`."""
        for remaining in reversed(range(self._settings.attempts)):
            try:
                return self._once(to, epoch)
            except (WritersStay, GuardTripped, NotDrained) as failure:
                if remaining == 0 or (isinstance(failure, NotDrained) and failure.fenced):
                    raise  # writes have waited for as long as they may; whoever asked decides whether they do again
                if isinstance(failure, WritersStay) and self._settings.end_blocking_sessions:
                    with self._connect(to.other) as session:
                        fence.end_sessions(session, failure.sessions)
                self._pace.sleep(self._settings.retry_pause.total_seconds())
        raise AssertionError  # attempts is at least 1

    def _once(self, to: Side, epoch: int) -> SwitchReport:
        attempt = self._begin(to, epoch)
        try:
            was_fenced = self._check_state(attempt)
            if was_fenced is None:
                return self._reached(attempt)
            try:
                self._tell("preparing")
                self._get_ready(attempt, fenced=was_fenced)
                self._cross(attempt)
            except CrossfadeError as failure:
                if (attempt.fencing or was_fenced) and not self._settle(attempt):
                    raise self._explained(attempt, failure) from failure
                if not attempt.moments:
                    raise
            return attempt.report(resumed=was_fenced)
        finally:
            attempt.old.close()
            attempt.new.close()

    def _begin(self, to: Side, epoch: int) -> Attempt:
        """Sessions to both sides, each with the sole right to switch there."""
        sessions: list[Session] = []
        try:
            for side in Side:  # always in this order, or two engines could each hold one
                sessions.append(self._connect(side))
                fence.hold(sessions[-1])
                fence.say_that_it_switches(sessions[-1])
        except CrossfadeError:
            for session in sessions:
                session.close()
            raise
        old, new = sessions if to is Side.TARGET else reversed(sessions)
        return Attempt(old=old, new=new, epoch=epoch)

    def _check_state(self, attempt: Attempt) -> bool | None:
        """Whether the old side is fenced already; None when the new side is open already: the end is reached."""
        old, new = state.state_of(attempt.old), state.state_of(attempt.new)
        for side in (old, new):
            if side.epoch > attempt.epoch:
                raise StaleEpoch(attempt.epoch, side.side, side.epoch)
        if old.open and new.open:
            raise TwoWriters
        if old.open and new.epoch == attempt.epoch > 0:  # this epoch has already closed the side it should open
            raise StaleEpoch(attempt.epoch, new.side, new.epoch)
        return None if new.open else not old.open

    # before the window

    def _get_ready(self, attempt: Attempt, *, fenced: bool) -> None:
        """Everything that may take time or may turn out not to work, while the old side still takes writes."""
        old, new = attempt.old, attempt.new
        forward, back = Channel(old, new), Channel(new, old)
        forward.check_slot()
        back.check_slot()
        if not forward.is_enabled():
            raise ReplicationNotReady(old.side, "its subscription is asleep")
        tables, copied = forward.copied()
        if copied < tables:
            raise ReplicationNotReady(old.side, f"{copied} of {tables} tables are copied and in step")
        refuse_drift(forward, back, self._settings.preflight_accept)
        if back.is_enabled() or back.is_running():
            back.put_to_sleep()
        back.skip()
        back.begin_decoding_here()
        self._try_the_way(attempt)
        fence.cancel_autovacuum_soon(old)
        fence.plan_opening(new, attempt.epoch)
        back.skip()
        new.run(fence.guard_script(back.name), patience=timedelta(minutes=1))
        if not fenced:
            self._await_quiet(old)
            fence.plan_fence(old, attempt.epoch)
            self._await_flow(attempt)
        for session in (old, new):
            session.read_clock()

    def _try_the_way(self, attempt: Attempt) -> None:
        """A marker must come through before anything is fenced: a lag beyond the drain's patience ends here."""
        token, patience = str(uuid.uuid4()), self._settings.drain_timeout
        attempt.old.run(fence.mark_script("trial", token), patience=patience)
        script = fence.await_script(token, patience)
        try:
            run_while_nudging(attempt.new, script, attempt.old, patience=patience + _MARGIN)
        except NotDrained as exc:
            raise NotDrained(attempt.new.side, patience) from exc

    def _await_flow(self, attempt: Attempt) -> None:
        """The last thing before the fence: a marker comes through now, and fast.

        A channel that stalls, or catches up, so delays the switch and not the writes. One that never gets faster in
        the drain's patience, but carries each marker within it, is as fast as it was allowed to be.
        """
        deadline = self._pace.monotonic() + self._settings.drain_timeout.total_seconds()
        while (began := self._pace.monotonic()) <= deadline:
            self._try_the_way(attempt)
            if self._pace.monotonic() - began <= _FLOWING.total_seconds():
                return

    def _await_quiet(self, old: Session) -> None:
        """Old transactions would keep the fence waiting, and everybody with it: wait for them before it, not in it."""
        deadline = self._pace.monotonic() + self._settings.quiet_timeout.total_seconds()
        while inside := fence.writers_inside(old, older_than=_IN_PASSING):
            if self._pace.monotonic() > deadline:
                raise WritersStay(old.side, inside, fenced=False)
            self._pace.sleep(0.02)

    # within the window

    def _cross(self, attempt: Attempt) -> None:
        """Fence to open.

        Without a fault injector both sides get their scripts at once, and the new one waits for the marker by itself:
        the window holds one round trip and the marker's way. Nothing but the last script opens.
        """
        slot = Channel(attempt.new, attempt.old).name
        closing, taking_over = self._closing(attempt), self._taking_over(attempt, slot)
        attempt.started = self._pace.monotonic()
        attempt.fencing = True
        if self._at is None:
            attempt.old.send("\n;".join(closing.values()))
            attempt.new.send("\n;".join(taking_over.values()))
            self._closed(attempt, self._answer_of_old(attempt))
            answer = answer_while_nudging(attempt.new, attempt.old, patience=self._settings.drain_timeout + _MARGIN)
        else:
            self._tell("fencing")
            for point, script in closing.items():
                attempt.old.send(script)
                self._closed(attempt, self._answer_of_old(attempt))
                self._tell(point)
            answer = []
            for point, script in taking_over.items():
                attempt.new.send(script)
                patience = self._settings.drain_timeout + _MARGIN
                answer += answer_while_nudging(attempt.new, attempt.old, patience=patience)
                self._tell(point)
        attempt.note(attempt.new, answer)
        changes = next(int(row[1]) for row in answer if row[0] == "unskipped")
        if changes:
            raise GuardTripped(attempt.new.side, changes)
        attempt.opening = True
        opened = attempt.new.run(fence.open_script(attempt.epoch, slot), patience=self._settings.drain_timeout)
        attempt.note(attempt.new, opened)
        attempt.moments["opened"] = self._pace.monotonic() - attempt.started
        self._tell("opened")

    def _closing(self, attempt: Attempt) -> dict[str, str]:
        """By the point that each script leads to."""
        tables, forward = fence.lockable(attempt.old), Channel(attempt.old, attempt.new).name
        return {
            "fenced": fence.fence_script(attempt.epoch),
            "locked": fence.lock_script(tables, self._settings.lock_timeout),
            "marked": f"{fence.mark_script('drain', attempt.token)};{fence.recount_script(forward)}",
        }

    @staticmethod
    def _closed(attempt: Attempt, answer: Rows) -> None:
        """Raises `SlotLost` when the way there was made again since it was looked at, before anybody relies on it."""
        attempt.note(attempt.old, answer)
        for reason in (row[1] for row in answer if row[0] == "lost" and row[1] is not None):
            raise SlotLost(attempt.old.side, Channel(attempt.old, attempt.new).name, str(reason))

    def _taking_over(self, attempt: Attempt, slot: str) -> dict[str, str]:
        patience = self._settings.drain_timeout + self._settings.lock_timeout
        return {
            "drained": fence.await_script(attempt.token, patience),
            "taken_over": fence.take_over_script(attempt.token, self._settings.sequence_margin),
            "advanced": fence.advance_script(slot),
            "guarded": fence.guard_script(slot),
        }

    def _tell(self, point: str) -> None:
        if self._at is not None:
            self._at(point)

    def _answer_of_old(self, attempt: Attempt) -> Rows:
        """Past the lock timeout the waiting is over, however many tables there are."""
        try:
            return attempt.old.receive(patience=self._settings.lock_timeout + _MARGIN)
        except StatementFailed as exc:
            if exc.sqlstate not in {LOCK_TIMEOUT, CANCELLED}:
                raise
            attempt.old.roll_back()
            raise WritersStay(attempt.old.side, fence.writers_inside(attempt.old), fenced=True) from exc

    # after a failure within the window

    def _settle(self, attempt: Attempt) -> bool:
        """One side takes writes again: True when it is the new one after all, False when the old one was opened again.

        Raises `SideUnreachable` when the new side may have opened and cannot be asked: then nobody may be let in.
        """
        if attempt.opening or attempt.old.closed:
            self._reconnect(attempt)
            if state.state_of(attempt.new).open:
                attempt.moments.setdefault("opened", self._pace.monotonic() - attempt.started)
                return True
        else:
            attempt.new.abandon()  # it was never told to open, so it is closed, whether or not it can be asked
            attempt.old.roll_back()
        attempt.old.run(fence.open_script(attempt.epoch), patience=self._settings.drain_timeout)
        return False

    def _reconnect(self, attempt: Attempt) -> None:
        """Fresh sessions, and the right to switch, on both sides. Waits until whatever the lost ones did is over."""
        attempt.old.close()
        attempt.new.close()
        fresh = self._begin(attempt.new.side, attempt.epoch)
        attempt.old, attempt.new = fresh.old, fresh.new

    def _explained(self, attempt: Attempt, failure: CrossfadeError) -> CrossfadeError:
        if isinstance(failure, NotDrained):
            return NotDrained(attempt.new.side, self._settings.drain_timeout, fenced=True)
        if isinstance(failure, StatementFailed) and failure.sqlstate == CANCELLED:
            return NotDrained(attempt.new.side, self._settings.drain_timeout, fenced=True)
        return failure

    # what it was like

    def _reached(self, attempt: Attempt) -> SwitchReport:
        """The end was reached by an earlier attempt; how long it took is known only from the two sides' own clocks."""
        closed_at = attempt.old.value("SELECT since FROM crossfade.writer")
        opened_at = attempt.new.value("SELECT since FROM crossfade.writer")
        window = max(timedelta(0), opened_at - closed_at)
        held = state.state_of(attempt.new).epoch
        for session, is_open in ((attempt.old, False), (attempt.new, True)):
            if held < attempt.epoch:  # nothing to move, but no engine with an epoch between the two may come now
                session.rows("SELECT crossfade.claim(%s, %s)", (attempt.epoch, is_open))
        return SwitchReport(
            to=attempt.new.side,
            epoch=attempt.epoch,
            write_window=window,
            moments=(("fenced", timedelta(0)), ("opened", window)),
            fenced_at=closed_at,
            resumed=True,
        )
