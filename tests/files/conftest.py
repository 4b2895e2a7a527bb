from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.shares import Shares


@pytest.fixture
def shares(tmp_path: Path) -> Iterator[Shares]:
    made = Shares(tmp_path)
    yield made
    made.close()
