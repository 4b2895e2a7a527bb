"""What Migration Hub is told of an item of the tracking table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PHASES = ("prepare", "replicate", "validate", "shadow", "canary", "cutover", "bake", "finalize")
_SERVERS = {
    "replicating": 10,
    "ready_for_test": 40,
    "testing": 50,
    "ready_for_cutover": 60,
    "cut_over": 90,
    "disconnected": 100,
}
"""How far a server is in each state, in percent. Finalizing disconnects it from the replication."""
_STATE, _SERVER = "state", "server#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The state of one task of Migration Hub."""

    task: str
    status: str
    detail: str
    percent: int

    @property
    def as_request(self) -> dict[str, Any]:
        """As the service names it."""
        return {"Status": self.status, "StatusDetail": self.detail, "ProgressPercent": self.percent}


def told_of(image: Mapping[str, Mapping[str, str]]) -> Told | None:
    """The task that an item, as a table's stream has it, is about. None: it is about none, or says too little."""
    item, migration = _of(image, "item"), _of(image, "migration")
    if item == _STATE:
        return _of_migration(migration, _of(image, "phase"), _of(image, "outcome"))
    if item.startswith(_SERVER) and (status := _of(image, "status")) in _SERVERS:
        percent = _SERVERS[status]
        done = "COMPLETED" if percent == 100 else "IN_PROGRESS"
        return Told(task=f"{migration}/{item.removeprefix(_SERVER)}", status=done, detail=status, percent=percent)
    return None


def _of_migration(migration: str, phase: str, outcome: str) -> Told | None:
    if phase not in PHASES:
        return None
    if outcome == "completed":
        return Told(task=migration, status="COMPLETED", detail=outcome, percent=100)
    percent = 100 * PHASES.index(phase) // len(PHASES)
    if outcome:
        return Told(task=migration, status="FAILED", detail=f"{outcome} in {phase}", percent=percent)
    return Told(task=migration, status="IN_PROGRESS", detail=f"phase {phase}", percent=percent)


def _of(image: Mapping[str, Mapping[str, str]], name: str) -> str:
    return image.get(name, {}).get("S", "")
