"""Each end in a person's words: what one sets out to do, and how it is when it is reached."""

from crossfade.model.ends import End, MirrorIs, SharesAre
from crossfade.report.units import say_percent

# kind -> (completes 'sets out to …' and 'could not …', a sentence without its full stop)
_WORDS = {
    "network_connected": ("connect the two sites", "The two sites are connected"),
    "preflight_clean": ("see that nothing stands in the way (preflight)", "Preflight: nothing stands in the way"),
    "checks_passed": ("pass the checks on the {suite}", "The checks on the {suite} passed"),
    "schema_created": ("create the tables on the target", "The tables stand on the target"),
    "replication_started": ("start replication to the target", "Replication runs: full load, then CDC"),
    "schema_completed": (
        "complete the target's schema",
        "The target's schema is complete: indexes, foreign keys, triggers",
    ),
    "way_back_built": ("build the way back", "The way back is built and asleep"),
    "servers_replicating": ("copy the servers to the target", "The servers are on the target and kept in step"),
    "files_follow": (
        "keep files in step from {primary} to {other}",
        "Files follow from {primary} to {other}",
    ),
    "test_instances_running": ("launch a test instance of each server", "A test instance of each server runs"),
    "test_instances_gone": ("end the test instances", "The test instances are gone"),
    "data_verified": (
        "verify that every row is the same on both sides",
        "Verified: every row is the same on both sides, the {primary} being primary",
    ),
    "cutover_instances_running": (
        "launch the modern servers that will take users",
        "The modern servers run and are ready for users",
    ),
    "cutover_instances_gone": (
        "end the modern servers of the earlier cutover",
        "The modern servers of the earlier cutover are gone",
    ),
    "switch_prepared": ("prepare the switch of writes to the {to}", "The switch of writes to the {to} is prepared"),
    "writer_is": ("move all writes to the {side} (epoch {epoch})", "The {side} takes writes, epoch {epoch}"),
    "way_back_awake": (
        "wake the way back from the {primary}",
        "The way back is alive: a marker written on the {primary} arrived on the {other}",
    ),
    "way_back_ended": ("end the way back", "The way back has ended: this was the point of no return"),
    "servers_finalized": ("finalize the servers", "The servers are finalized"),
    "files_stopped": ("stop copying files", "Files are no longer copied"),
    "source_retired": ("stop the legacy servers", "The legacy servers are stopped"),
    "replication_removed": ("remove replication", "Replication is removed; the source is as before"),
    "servers_reverted": ("remove the servers' twins", "The servers' twins are removed"),
    "files_reverted": ("remove the copied files", "The copied files are removed from the target"),
}


def aim(end: End) -> str:
    """What is set out to do, to follow 'to' or 'could not'."""
    return _words(end)[0]


def reached(end: End) -> str:
    """How it is when the end is reached: a sentence without its full stop."""
    return _words(end)[1]


def _words(end: End) -> tuple[str, str]:
    if isinstance(end, SharesAre):
        return _shares(end.canary_percent)
    if isinstance(end, MirrorIs):
        return _mirror(end.percent)
    primary = getattr(end, "primary", None)
    suite = getattr(end, "suite", None)
    said = {
        "primary": primary,
        "other": primary and primary.other,
        "side": getattr(end, "side", None),
        "to": getattr(end, "to", None),
        "epoch": getattr(end, "epoch", None),
        "suite": suite and suite.replace("_", " "),
    }
    wanted, done = _WORDS[end.kind]
    return wanted.format_map(said), done.format_map(said)


def _shares(percent: float) -> tuple[str, str]:
    if percent == 0:
        return "send all users to the legacy servers", "Share is 0 %: all users are on the legacy servers"
    if percent == 100:
        return "send all users to the modern servers", "Share is 100 %: all users are on the modern servers"
    share = say_percent(percent)
    return (
        f"send {share} of the users to the modern servers",
        f"Share is {share}",
    )


def _mirror(percent: float) -> tuple[str, str]:
    if percent == 0:
        return "turn the mirror off", "The mirror is off"
    share = say_percent(percent)
    return f"mirror {share} of the requests", f"{share} of the requests are mirrored to the modern servers"
