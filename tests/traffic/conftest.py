from collections.abc import Iterator

import pytest

from tests.traffic.running import Routed, routed


@pytest.fixture(scope="module")
def module_routed() -> Iterator[Routed]:
    with routed() as running:
        yield running


@pytest.fixture
def shared(module_routed: Routed) -> Routed:
    """The module's router, with nobody on the modern side. For tests that break nothing."""
    module_routed.router.set_shares(0)
    module_routed.router.mirror(0)
    return module_routed


@pytest.fixture
def own() -> Iterator[Routed]:
    """A router of the test's own, to be broken."""
    with routed() as running:
        yield running
