"""Checks over HTTP: instance health, readiness (its database can be read), pages that users ask for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from crossfade.model.seen import CheckResult
from crossfade.model.terms import Suite

HEALTH = "instance health"
READINESS = "database connectivity"
SERVICE = "service availability"

_LARGEST_ANSWER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question: does `url` answer with `status`, and with `contains` somewhere in it?

    `name` says what is checked and `subject` of whom (a server, a site); both are shown and recorded, the answer's
    text never is. Redirects are not followed: they are answers.
    """

    name: str
    subject: str
    url: str
    status: int = 200
    contains: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpChecks:
    """Asks all probes of a suite at once, `at_once` of them in flight, each within `timeout`.

    A suite without probes gives one result that has not passed: nothing was checked.
    """

    def __init__(
        self,
        probes: Mapping[Suite, Sequence[Probe]],
        *,
        timeout: timedelta = timedelta(seconds=2),
        at_once: int = 32,
    ) -> None:
        self._probes = {suite: tuple(listed) for suite, listed in probes.items()}
        self._timeout_s = timeout.total_seconds()
        self._at_once = at_once

    def run(self, suite: Suite) -> tuple[CheckResult, ...]:
        """The results in the order of the probes. Call it where no event loop runs."""
        probes = self._probes.get(suite, ())
        if not probes:
            return (CheckResult(name=SERVICE, subject=suite.value, passed=False, detail="there is nothing to check"),)
        return asyncio.run(self._ask_all(probes))

    async def _ask_all(self, probes: Sequence[Probe]) -> tuple[CheckResult, ...]:
        turn = asyncio.Semaphore(self._at_once)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            return tuple(await asyncio.gather(*(self._ask(session, turn, probe) for probe in probes)))

    async def _ask(self, session: aiohttp.ClientSession, turn: asyncio.Semaphore, probe: Probe) -> CheckResult:
        async with turn:
            try:
                async with asyncio.timeout(self._timeout_s):
                    wrong = await _what_is_wrong(session, probe)
            except TimeoutError:
                wrong = f"no answer within {self._timeout_s:g} s"
            except (aiohttp.ClientError, OSError, ValueError) as failure:
                wrong = _without_text(failure)
        return CheckResult(name=probe.name, subject=probe.subject, passed=not wrong, detail=wrong)


async def _what_is_wrong(session: aiohttp.ClientSession, probe: Probe) -> str:
    """Empty when the answer is as it should be."""
    async with session.get(probe.url, headers=probe.headers, allow_redirects=False) as answer:
        if answer.status != probe.status:
            return f"status {answer.status} instead of {probe.status}"
        body = bytearray()
        async for part in answer.content.iter_any():
            body += part
            if len(body) > _LARGEST_ANSWER_BYTES:
                return f"an answer of more than {_LARGEST_ANSWER_BYTES} bytes"
        if probe.contains.encode() not in body:
            return "the answer does not contain what it should"
    return ""


def _without_text(failure: Exception) -> str:
    """What kind of failure it was, and nothing that an address or an answer may hold."""
    cause = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
    return f"no valid answer ({type(cause).__name__})"
