"""Verification of the two models, row by row; it takes its time."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random

from crossfade.model.seen import Difference, Verification
from crossfade.model.terms import NoData, Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.postgres.server import Server

_TABLE = "ledger.transfers"
_SETTLES = 30
_PAUSE = 0.5


class SimulatedVerifier:
    """The port. Rows that differ are looked at again: what replication still carries is no difference."""

    def __init__(self, hub: Hub, rng: Random, databases: Mapping[Side, Server]) -> None:
        self._hub, self._rng, self._databases = hub, rng, databases

    def verify(self, primary: Side) -> Verification | NoData:
        began = self._hub.seconds
        self._hub.sleep(self._rng.uniform(0.02, 0.5))
        suspects: set[str] | None = None
        kinds: dict[str, str] = {}
        for _ in range(_SETTLES):
            if any(not self._databases[side].up for side in Side):
                return NoData(reason="a database cannot be reached")
            kinds = self._different()
            now = set(kinds)
            suspects = now if suspects is None else suspects & now
            if not suspects:
                break
            self._hub.sleep(_PAUSE)
        kinds = {key: kinds[key] for key in sorted(suspects or ())}
        return Verification(
            tables=1,
            rows=len(self._databases[primary].committed()),
            differences=tuple(
                Difference(table=_TABLE, key=key, kind=kind, written_since_switch=self._written_since_switch(key))
                for key, kind in kinds.items()
            ),
            unresolved=(),
            duration=timedelta(seconds=self._hub.seconds - began),
        )

    def _written_since_switch(self, key: str) -> bool | None:
        """A row that one side lacks may have been deleted there, so False cannot be said."""
        target = self._databases[Side.TARGET]
        writer = target.catalog.writer
        if writer is None or writer.horizon is None or key not in target.committed():
            return None
        return target.versions.get(key, 0) > writer.horizon or None

    def _different(self) -> dict[str, str]:
        source, target = (self._databases[side].committed() for side in Side)
        kinds = {key: "missing" for key in source if key not in target}
        kinds.update({key: "extra" for key in target if key not in source})
        return kinds
