"""A later cutover in a run that has failed back: the same question to the databases, and a journal that goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from crossfade.engine.again import await_as_left, standing
from crossfade.invariants import broken_rules_over
from crossfade.model.events import MigrationEnded, MigrationPlanned
from crossfade.model.terms import Outcome
from crossfade.runbook.again import NotAsLeft, earlier
from crossfade.simulation.rules import NOT_TO_BE_MENDED

if TYPE_CHECKING:
    from crossfade.simulation.world import SimulatedWorld

_RULE = "a later cutover begins"
_LATER = 10.0


class LaterCutover:
    """Begun once at most. Faults that are drawn go on as before, and engines of the first may still be about."""

    def __init__(self, world: "SimulatedWorld") -> None:
        self._world = world
        self._first: MigrationEnded | None = None

    def begin(self) -> bool:
        """Whether one is tried. It then has an end of its own, or that of the first where it is refused."""
        world = self._world
        if not world.scenario.again or self._first is not None:
            return False
        if world.ended is None or world.ended.outcome is not Outcome.FAILED_BACK:
            return False
        self._first, world.ended = world.ended, None
        world.hub.spawn("later cutover", self._begin)
        return True

    def audit(self) -> None:
        """Both journals together."""
        world = self._world
        if len(world.journals) > 1:
            for broken in broken_rules_over([journal.read() for journal in world.journals]):
                world.violated(str(broken.rule), broken.what)

    def _begin(self) -> None:
        world = self._world
        after = earlier([world.journal.read()])
        database = world.database_from("later cutover")
        while (
            refusal := self._asked(
                lambda: await_as_left(
                    after, lambda: standing(database), world.scenario.plan.replication, world.engines.clock
                )
            )
        ) is not None:
            world.note("world", f"no later cutover: {refusal}")
            broken = any(fault.kind in NOT_TO_BE_MENDED for fault in world.injector.happened)
            if broken or world.healed:
                if not broken:
                    world.violated(_RULE, str(refusal))
                world.ended = self._first
                return
            world.hub.sleep(_LATER)
        world.go_on(MigrationPlanned(plan=world.scenario.plan, after=after))

    @staticmethod
    def _asked(ask: Callable[[], None]) -> NotAsLeft | None:
        try:
            ask()
        except NotAsLeft as refusal:
            return refusal
        return None
