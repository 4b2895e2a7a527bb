"""Pairs of answers from mirrored requests: sampled, asked for on both sides, compared, counted, forgotten."""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import Protocol

from crossfade.model.comparing import FieldCount, ShadowReading
from crossfade.shadow import Answer, Comparer, Masker, Pair, is_sampled
from crossfade.shadowing.calls import (
    DATABASE,
    GUARD,
    OUR_HEADERS,
    READ_FROM,
    REFUSED_BY,
    SHADOW_HEADER,
    Call,
    TooLarge,
    Unanswered,
)
from crossfade.shadowing.settings import CollectorSettings

_log = logging.getLogger(__name__)


class Asked(Protocol):
    """One side."""

    async def ask(self, call: Call) -> Answer:
        """Raises `Unanswered`, `TooLarge`."""
        ...


@dataclass(slots=True)
class _Counts:
    unanswered: int = 0
    control_unanswered: int = 0
    apart: int = 0
    dropped: int = 0
    unsafe: int = 0
    refused_by_guard: int = 0
    refused_by_database: int = 0


class Collector:
    """Takes copies of requests, never waits for them, and keeps what is bounded: counts by field.

    The control is asked first; then the candidate and, of some pairs, the control again, both at once. Users write
    meanwhile: where an answer differs from the first one the control is asked a last time, and where that differs from
    the first as well, nothing is made of it. Candidate and second answer are treated alike in all of this.
    Source: docs/shadow.md, 'Live'.
    """

    def __init__(self, settings: CollectorSettings, control: Asked, candidate: Asked, masker: Masker) -> None:
        self._settings, self._control, self._candidate = settings, control, candidate
        comparison = settings.comparison
        self._comparer = Comparer(
            comparison.model_copy(
                # the sample is drawn before anybody is asked
                update={"sample_percent": 100.0, "ignore_headers": (*comparison.ignore_headers, *OUR_HEADERS)}
            ),
            masker,
        )
        self._boot, self._pairs, self._counts = secrets.token_hex(8), 0, _Counts()
        self._under_way: set[asyncio.Task[None]] = set()

    def offer(self, call: Call) -> None:
        """Returns at once, whatever becomes of the call."""
        settings = self._settings
        if any(name.lower() == SHADOW_HEADER for name, _ in call.headers):
            return  # a copy of a copy: of another collector, or of this one through a loop
        if not is_sampled(call.id, settings.sample_percent):
            return
        if call.method not in settings.methods and call.target.partition("?")[0] not in settings.safe_routes:
            self._counts.unsafe += 1
        elif len(self._under_way) >= settings.max_in_flight:
            self._counts.dropped += 1
        else:
            task = asyncio.get_running_loop().create_task(self._collect(call))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    @property
    def in_flight(self) -> int:
        """Pairs that are being asked for."""
        return len(self._under_way)

    def reading(self) -> ShadowReading:
        """All that was counted so far."""
        found, counts = self._comparer.result(), self._counts
        return ShadowReading(
            boot=self._boot,
            pairs=found.pairs,
            matched=found.matched,
            repeated=found.repeated,
            fields=tuple(FieldCount(path=field.path, counts=field.counts) for field in found.fields),
            unanswered=counts.unanswered,
            control_unanswered=counts.control_unanswered,
            apart=counts.apart,
            dropped=counts.dropped,
            unsafe=counts.unsafe,
            refused_by_guard=counts.refused_by_guard,
            refused_by_database=counts.refused_by_database,
            in_flight=self.in_flight,
            latency_ratio=found.latency.ratio if found.latency else None,
            latency_low=found.latency.low if found.latency else None,
            latency_high=found.latency.high if found.latency else None,
        )

    async def close(self) -> None:
        """Nothing is asked any more; what was under way is cancelled and not counted."""
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _collect(self, call: Call) -> None:
        try:
            control = await self._control.ask(call)
            candidate, again = await self._beside(call)
            others = [answer for answer in (candidate, again) if answer is not None]
            settled = None
            if any(not self._comparer.agree(control, other) for other in others):
                settled = await self._control.ask(call)
        except _CandidateSilent:
            self._counts.unanswered += 1
        except Unanswered:
            self._counts.control_unanswered += 1
        except TooLarge:
            self._counts.dropped += 1
        except Exception as fault:  # noqa: BLE001 - asyncio would log it, with what people sent
            self._counts.dropped += 1
            _log.error("a pair was dropped: %s", type(fault).__name__)
        else:
            self._count(call, (control, candidate, again, settled))

    async def _beside(self, call: Call) -> tuple[Answer, Answer | None]:
        """The candidate's answer, and at the same time perhaps the control's second."""
        if not is_sampled(f"again {call.id}", self._settings.repeat_percent):
            return await self._ask_candidate(call), None
        candidate = asyncio.create_task(self._ask_candidate(call))
        again = asyncio.create_task(self._control.ask(call))
        try:
            return await candidate, await again
        finally:  # the other one is of no use where one has failed
            candidate.cancel()
            again.cancel()
            await asyncio.gather(candidate, again, return_exceptions=True)

    async def _ask_candidate(self, call: Call) -> Answer:
        try:
            return await self._candidate.ask(call)
        except Unanswered:
            raise _CandidateSilent from None

    def _count(self, call: Call, answers: tuple[Answer, Answer, Answer | None, Answer | None]) -> None:
        control, candidate, again, settled = answers
        all_of_them = [answer for answer in answers if answer is not None]
        refusals = [answer["headers"].get(REFUSED_BY) for answer in all_of_them]
        self._counts.refused_by_guard += refusals.count(GUARD)
        self._counts.refused_by_database += refusals.count(DATABASE)
        if len({str(answer["headers"].get(READ_FROM)) for answer in all_of_them}) > 1:
            self._counts.apart += 1
            return
        self._pairs += 1
        pair = Pair(id=call.id, control=control, candidate=candidate)
        if again is not None:
            pair["control_again"] = again
        self._comparer.add(pair, self._pairs, settled=settled)


class _CandidateSilent(Exception):
    """The candidate did not answer, and the control did."""
