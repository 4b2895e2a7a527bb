"""What a side says of itself when an engine died while it installed our schema there."""

from typing import Any, cast

import pytest

from crossfade.database.session import Session
from crossfade.database.state import SideState, state_of
from crossfade.model.terms import Side


class HalfInstalled:
    """The tables stand, and nothing is in them."""

    def __init__(self, side: Side) -> None:
        self.side = side

    def rows(self, *_: object) -> list[tuple[Any, ...]]:
        return []


@pytest.mark.parametrize("side", list(Side))
def test_a_side_is_as_it_begins_when_nothing_was_noted_yet(side: Side) -> None:
    session = cast("Session", HalfInstalled(side))
    assert state_of(session) == SideState(side=side, open=side is Side.SOURCE, epoch=0)
