from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.sites import Sites, two_sites


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Sites]:
    with two_sites(tmp_path) as made:
        yield made
