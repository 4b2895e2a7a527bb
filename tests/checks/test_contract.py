"""What all checks must do, asked of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from crossfade.checks.http import HEALTH, HttpChecks, Probe
from crossfade.checks.memory import InMemoryChecks
from crossfade.checks.port import Checks
from crossfade.model.terms import Suite
from crossfade.rehearsal.processes import free_ports
from tests.traffic.servers import serving


@dataclass
class Case:
    """Two subjects in each suite."""

    checks: Checks
    take_down: Callable[[int], None]
    """Makes the first or second subject of the target fail."""


@pytest.fixture(params=["memory", "http"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    if request.param == "memory":
        checks = InMemoryChecks(("one", "two"))
        yield Case(checks=checks, take_down=lambda which: checks.broken.add((Suite.TARGET, ("one", "two")[which])))
        return
    ports = free_ports(4)
    legacy, modern = ports[:2], ports[2:]
    with serving(legacy, modern) as servers:
        yield Case(
            checks=HttpChecks(
                {
                    Suite.SOURCE: _probes(legacy),
                    Suite.TARGET: _probes(modern),
                    Suite.TEST_INSTANCES: _probes(modern),
                },
                timeout=timedelta(seconds=60),
            ),
            take_down=lambda which: servers.down(servers.modern, modern[which]),
        )


def _probes(ports: list[int]) -> list[Probe]:
    return [
        Probe(name=HEALTH, subject=subject, url=f"http://127.0.0.1:{port}/healthz")
        for subject, port in zip(("one", "two"), ports, strict=True)
    ]


@pytest.mark.parametrize("suite", list(Suite))
def test_all_checks_pass_when_everything_works(case: Case, suite: Suite) -> None:
    results = case.checks.run(suite)
    assert [(result.subject, result.passed) for result in results] == [("one", True), ("two", True)]


@pytest.mark.parametrize("which", [0, 1])
def test_only_its_own_check_fails_when_one_is_down(case: Case, which: int) -> None:
    case.take_down(which)
    results = case.checks.run(Suite.TARGET)
    assert [result.passed for result in results] == [which != 0, which != 1]
    assert results[which].detail
    assert all(result.passed for result in case.checks.run(Suite.SOURCE))
