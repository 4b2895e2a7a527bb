"""The rollout of one experiment, kept at hand: live calls read it, and a provider is asked beside them."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic

from crossfade.facade.errors import FacadeError, RolloutInvalid
from crossfade.facade.flags import Flags
from crossfade.facade.forking import renew_after_fork
from crossfade.facade.rollout import EVERYBODY_LEGACY, Rollout
from crossfade.facade.settings import FacadeSettings
from crossfade.facade.workers import Workers

_LOG = logging.getLogger("crossfade.facade")
_GIVE_UP_S = 10.0
_GIVE_UP_AT_MOST_S = 3600.0


@dataclass(frozen=True, slots=True)
class _AtHand:
    """What calls read without a lock; replaced as a whole. Until `look_again_at` there is nothing to be done."""

    rollout: Rollout
    look_again_at: float


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """Put to the provider at `asked_at`. `ended` is done once it was answered or has failed, and holds nothing."""

    asked_at: float
    ended: "Future[None]"


class KeptRollout:
    """What a provider said last, for as long as it may be used; everybody on legacy where there is no such answer.

    A provider that hangs keeps a thread of `workers`. It is asked again in another after ten seconds, twenty, forty …,
    so that one that recovers is noticed although its old question never ends.
    """

    def __init__(
        self,
        flags: Flags,
        flag: str,
        settings: FacadeSettings,
        workers: Workers,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._flags, self._flag, self._workers, self._clock = flags, flag, workers, clock
        self._fresh_s = settings.fresh_for.total_seconds()
        self._usable_s = settings.usable_for.total_seconds()
        self._deadline_s = settings.deadline.total_seconds()
        self._answer, self._answer_asked_at = EVERYBODY_LEGACY, -inf
        self.fault: str | None = None
        """Why the newest question has no answer, without the provider's own words; None when it has one."""
        self.begin_anew()
        renew_after_fork(self)

    def begin_anew(self) -> None:
        """Keeps the answer, and no question."""
        self._lock = threading.Lock()
        self._at_hand = _AtHand(EVERYBODY_LEGACY, -inf)
        self._question: _Question | None = None
        self._asked_at, self._give_up_s = -inf, _GIVE_UP_S
        self._patient = True  # whether calls wait: not for a provider that has disappointed just before

    def rollout(self) -> Rollout:
        """What holds now. Waits, at most the deadline, only where nothing is known. Never raises."""
        at_hand = self._at_hand
        if self._clock() < at_hand.look_again_at:
            return at_hand.rollout
        question, patience_s = self._look()
        if question is not None:
            wait((question.ended,), patience_s)
            self._have_waited(question)
        return self._at_hand.rollout

    async def rollout_async(self) -> Rollout:
        """The same, for coroutines: the event loop goes on meanwhile."""
        at_hand = self._at_hand
        if self._clock() < at_hand.look_again_at:
            return at_hand.rollout
        question, patience_s = self._look()
        if question is not None:
            ended = asyncio.wrap_future(question.ended)
            try:
                await asyncio.wait((ended,), timeout=patience_s)
            finally:
                ended.cancel()
            self._have_waited(question)
        return self._at_hand.rollout

    def _look(self) -> tuple[_Question | None, float]:
        """Ask anew if it is time to. Returns the question whose answer is worth waiting for, and how long."""
        with self._lock:
            now = self._clock()
            if self._question is not None and now >= self._question.asked_at + self._give_up_s:
                self._question, self._give_up_s = None, min(2 * self._give_up_s, _GIVE_UP_AT_MOST_S)
            if self._question is None and now >= self._asked_at + self._fresh_s:
                self._ask(now)
            question = self._question
            if question is not None and self._patient and now >= self._answer_asked_at + self._usable_s:
                return question, max(0.0, question.asked_at + self._deadline_s - now)
            self._rest(now)
            return None, 0.0

    def _ask(self, now: float) -> None:
        """Called with the lock held."""
        self._asked_at = now
        question = _Question(now, Future())
        question.ended.set_running_or_notify_cancel()  # nobody who stops waiting cancels it for the others
        self._question = question  # before it is put: the thread that puts it looks
        if not self._workers.submit(
            partial(self._put, question),
            overdue=partial(self._failed, question, "it does not answer", ended=False),
            within_s=self._give_up_s,
        ):
            self._question, self.fault = None, "too many questions hang already"

    def _put(self, question: _Question) -> None:
        """Runs beside the calls, and takes whatever the provider does."""
        if question is not self._question:
            question.ended.set_result(None)  # given up before its turn came
            return
        try:
            answer: object = self._flags.rollout(self._flag)
            if not isinstance(answer, Rollout):
                raise RolloutInvalid((f"a {type(answer).__name__} where a Rollout belongs",))  # noqa: TRY301 - a lie
        except FacadeError as failure:
            self._failed(question, str(failure))
        except BaseException as failure:  # noqa: BLE001 - its words may hold anything, so only its class is told
            self._failed(question, f"{type(failure).__name__} was raised")
        else:
            self._answered(question, answer)
        finally:
            question.ended.set_result(None)

    def _answered(self, question: _Question, answer: Rollout) -> None:
        """Also what comes late is good, but it is as old as its question."""
        with self._lock:
            recovered, self.fault, self._give_up_s = self.fault is not None, None, _GIVE_UP_S
            if question is self._question:
                self._question, self._patient = None, True
            if question.asked_at > self._answer_asked_at:
                self._answer, self._answer_asked_at = answer, question.asked_at
            self._rest(self._clock())
        if recovered:
            _LOG.info("The flag %s is answered again.", self._flag)

    def _failed(self, question: _Question, fault: str, *, ended: bool = True) -> None:
        with self._lock:
            news = self.fault is None
            self.fault, self._patient = fault, False
            if ended and question is self._question:
                self._question = None
            self._rest(self._clock())
        if news:
            _LOG.warning("The flag %s has no answer: %s", self._flag, fault)

    def _have_waited(self, question: _Question) -> None:
        if question.ended.done():
            return
        with self._lock:
            self._patient = False
            self._rest(self._clock())

    def _rest(self, now: float) -> None:
        """Put at hand what holds until something may change. Called with the lock held."""
        usable_until = self._answer_asked_at + self._usable_s
        usable = now < usable_until
        question = self._question
        turn = self._asked_at + self._fresh_s if question is None else question.asked_at + self._give_up_s
        look_again_at = min(turn, usable_until) if usable else turn
        self._at_hand = _AtHand(self._answer if usable else EVERYBODY_LEGACY, look_again_at)
