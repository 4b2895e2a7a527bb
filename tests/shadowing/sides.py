"""Two sides without a network, and a collector between them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crossfade.shadow import Answer, Masker
from crossfade.shadowing.calls import Call
from crossfade.shadowing.collector import Collector
from crossfade.shadowing.settings import CollectorSettings

JSON = "application/json"


def answer(body: object, *, status: int = 200, ms: float = 5.0, **headers: str) -> Answer:
    told: dict[str, str | list[str]] = {name.replace("_", "-"): value for name, value in headers.items()}
    told["content-type"] = JSON
    return Answer(status=status, headers=told, body=json.dumps(body), ms=ms)


def call(number: int = 1, *, method: str = "GET", target: str = "/api/accounts/2", **headers: str) -> Call:
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Call(id=f"request-{number}", method=method, target=target, headers=given)


@dataclass
class Side:
    """Answers with what `say` returns, once `open` is set; `asked` holds what it was asked."""

    say: Callable[[Call], Answer]
    asked: list[Call] = field(default_factory=list)
    cancelled: int = 0
    open: asyncio.Event | None = None
    failure: Exception | None = None

    async def ask(self, call: Call) -> Answer:
        self.asked.append(call)
        try:
            if self.open is not None:
                await self.open.wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        return self.say(call)


def collector(control: Side, candidate: Side, **settings: Any) -> Collector:
    given: dict[str, Any] = {"sample_percent": 100, "repeat_percent": 100} | settings
    told = CollectorSettings(
        mirror_port=20000, control_port=20001, control=("http://a:1",), candidate=("http://b:1",), **given
    )
    return Collector(told, control, candidate, Masker(key=b"k" * 32))


async def settle(made: Collector) -> None:
    """Nothing is under way any more."""
    for _ in range(10_000):
        if not made.in_flight:
            return
        await asyncio.sleep(0)
    raise AssertionError("it goes on and on")
