"""The whole plan: inventory, applications, readiness, waves, schedule and risks, joined. Pure."""

from crossfade.planning.plan.records import (
    Assumption,
    MigrationPlan,
    MigrationRef,
    NotPlanned,
    PlannedApplication,
    Unknown,
)

__all__ = ["Assumption", "MigrationPlan", "MigrationRef", "NotPlanned", "PlannedApplication", "Unknown"]
