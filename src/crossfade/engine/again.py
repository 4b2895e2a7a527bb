"""Before a later cutover: what the databases say, asked until it is clear."""

from collections.abc import Callable
from datetime import timedelta

from crossfade.database.port import Database
from crossfade.engine.clock import Clock
from crossfade.model.events import Earlier
from crossfade.model.plan import ReplicationLimits
from crossfade.model.terms import Side
from crossfade.runbook.again import NotAsLeft, Standing, obstacles

_PATIENCE = timedelta(seconds=20)
_LOOK_EVERY = timedelta(milliseconds=250)


def standing(database: Database) -> Standing:
    """What both databases say now. Looking copies nothing."""
    return Standing(
        writer=database.writer(),
        replication=database.replication(Side.SOURCE),
        forward=database.way_back(Side.SOURCE),
        back=database.way_back(Side.TARGET),
    )


def await_as_left(
    after: Earlier,
    look: Callable[[], Standing],
    limits: ReplicationLimits,
    clock: Clock,
    patience: timedelta = _PATIENCE,
) -> None:
    """Returns when everything is as the fail back left it. Raises `NotAsLeft` with everything that is not.

    What may pass by itself, such as a subscriber that is still connecting, is waited for as long as `patience`.
    """
    until = clock.now() + patience
    while found := obstacles(after, look(), limits):
        if clock.now() >= until or not all(obstacle.passing for obstacle in found):
            raise NotAsLeft(found)
        clock.sleep_until(clock.now() + _LOOK_EVERY)
