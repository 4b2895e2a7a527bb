"""Whether launched instances answer, asked over HTTP on this computer's loopback."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from threading import Event

_LOOK_AGAIN_SECONDS = 0.05
_AT_ONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an instance should answer, and the name it should answer with (`x-server`)."""

    instance: str
    port: int
    names: frozenset[str]


def unanswered(addresses: Iterable[Address], path: str, timeout: timedelta) -> dict[str, str]:
    """Ask all at once for `path`; the instances that did not answer 200 in their own name, each with the reason."""
    asked = list(addresses)
    if not asked:
        return {}
    with ThreadPoolExecutor(min(len(asked), _AT_ONCE)) as pool:
        answers = pool.map(lambda address: _ask(address, path, timeout), asked)
        return {address.instance: reason for address, reason in zip(asked, answers, strict=True) if reason is not None}


def wait_until_answered(
    addresses: Iterable[Address], paths: Iterable[str], *, patience: timedelta, timeout: timedelta
) -> dict[str, str]:
    """Ask each instance for every path until it answers; those that have not when `patience` is over, and why.

    A silent instance spoils nothing for the others: they are asked for the remaining paths all the same.
    """
    asked = list(addresses)
    until = time.monotonic() + patience.total_seconds()
    silent: dict[str, str] = {}
    for path in paths:
        remaining = [address for address in asked if address.instance not in silent]
        while remaining and (reasons := unanswered(remaining, path, timeout)):
            if time.monotonic() > until:
                silent |= reasons
                break
            remaining = [address for address in remaining if address.instance in reasons]
            Event().wait(_LOOK_AGAIN_SECONDS)
    return silent


def _ask(address: Address, path: str, timeout: timedelta) -> str | None:
    connection = HTTPConnection("127.0.0.1", address.port, timeout=timeout.total_seconds())
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as failed:
        return f"{path} on port {address.port}: {failed or type(failed).__name__}"
    finally:
        connection.close()
    if answer.status != 200:
        return f"{path} on port {address.port} answers {answer.status}"
    name = answer.headers.get("x-server")
    if name is not None and name not in address.names:
        return f"port {address.port} is answered by {name[:80]!r}"
    return None
