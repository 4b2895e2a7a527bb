"""The tiers of the application that take requests. Pure."""

from crossfade.model.file import MigrationFile
from crossfade.model.file.site import Tier, TierRole


def serving_tiers(file: MigrationFile) -> tuple[Tier, ...]:
    """The tiers that take requests, the web tier first; one that does both where the file names none."""
    serving = sorted((t for t in file.source.tiers if t.role is not TierRole.WORKER), key=lambda t: t.role != "web")
    return tuple(serving) or (Tier(name="servers", role=TierRole.WEB, servers=file.servers.count),)
