"""How the tracking table is keyed, and which question each index answers. Pure.

Every item has `migration` (partition key) and `item` (sort key): `state`, `server#NAME`, `lag#TIME`, `event#POSITION`.
`state` also has `writer`, which the roll back asks for, and `outcome` once there is one.
Times are ISO 8601 in UTC and positions are padded, so that they sort.
"""

from dataclasses import dataclass

PARTITION, SORT = "migration", "item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A global secondary index and the question it answers."""

    name: str
    partition: str
    sort: str
    answers: str


INDEXES = (
    Index(name="by-phase", partition="phase", sort="entered_at", answers="all migrations in a phase"),
    Index(name="by-status", partition="status", sort="changed_at", answers="servers by status"),
    Index(name="lag-history", partition="lag_of", sort="measured_at", answers="replication lag over time"),
    Index(name="latest-events", partition="event_of", sort="position", answers="the latest events of a migration"),
)
"""The attributes stand only on the items that an index is about, so that each index holds nothing else."""
