from collections.abc import Iterator

import pytest

from tests.traffic.running import Routed, routed


@pytest.fixture
def own() -> Iterator[Routed]:
    """A router of the test's own."""
    with routed() as running:
        yield running
