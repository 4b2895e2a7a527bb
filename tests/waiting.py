"""Tests wait for conditions, never for seconds."""

import time
from collections.abc import Callable
from typing import Any

_LOOK_AGAIN_S = 0.01


def wait_for(condition: Callable[[], Any], seconds: float = 180.0) -> None:
    """Return once `condition` holds. AssertionError when it does not within `seconds`, which is patience, no bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true within {seconds:g} s"
        time.sleep(_LOOK_AGAIN_S)  # between two looks, not instead of one
