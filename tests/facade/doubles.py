"""Flags, receivers and implementations that do what a test needs."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from crossfade.facade import FacadeSettings, InMemoryFlags, Mode, Observation, Rollout

PATIENT = FacadeSettings(deadline=timedelta(seconds=60), timeout=timedelta(seconds=60))
"""For tests that are not about time: nothing is given up on a busy computer."""


def all_in(mode: Mode, percent: float = 100.0) -> InMemoryFlags:
    return InMemoryFlags(balance=Rollout(mode=mode, percent=percent))


class Receiver:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.got: list[Observation] = []

    def __call__(self, observation: Observation) -> None:
        self.got.append(observation)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Hanging:
    """Flags that hang until they are released; each question waits for the event that was current when it was put."""

    def __init__(self, answer: Rollout) -> None:
        self.answer = answer
        self.asked = 0
        self.released = threading.Event()

    def rollout(self, flag: str) -> Rollout:
        self.asked += 1
        answer, released = self.answer, self.released
        released.wait()
        return answer


class Scripted:
    """Flags whose answers a test exchanges."""

    def __init__(self, answer: Callable[[], Rollout]) -> None:
        self.answer = answer
        self.asked = 0

    def rollout(self, flag: str) -> Rollout:
        self.asked += 1
        return self.answer()


async def until(condition: Callable[[], Any]) -> None:
    """As `wait_for`, without keeping the event loop."""
    async with asyncio.timeout(180):
        while not condition():  # noqa: ASYNC110 - of conditions that threads bring about
            await asyncio.sleep(0.001)


def legacy(user: str) -> str:
    return f"legacy for {user}"


def modern(user: str) -> str:
    return f"modern for {user}"


def whom(user: str) -> str:
    return user
