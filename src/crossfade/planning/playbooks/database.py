"""The database's steps: wake, prepare, switch, verify, take away. By hand they are said as the engine says them."""

from datetime import timedelta

from crossfade.model import ends
from crossfade.model.terms import Side
from crossfade.planning.playbooks import statements
from crossfade.planning.playbooks.records import Card, Command, Component, Limit
from crossfade.planning.playbooks.site import Site, limit, watched
from crossfade.report.end_words import aim, reached

MARKER_PATIENCE = timedelta(minutes=1)


def way_back_awake(site: Site, end: ends.WayBackAwake) -> Card:
    """Replication out of `end.primary` runs."""
    primary = end.primary
    return Card(
        key=f"replication-from-{primary}",
        component=Component.DATABASE,
        title=aim(end),
        does=f"puts replication into the {primary} to sleep, wakes that out of it, and waits until a marker written "
        f"on the {primary} has arrived on the {primary.other}",
        see=(watched(f"{reached(end)}."), statements.subscription(primary, f"{statements.channel(primary)}|t")),
        by_hand=(*statements.wake(primary), *statements.marker_arrives(primary, "way_back", MARKER_PATIENCE)),
        limits=_attempts(site),
        hazard="When the marker does not arrive, stop here: nothing is fenced yet, and the primary goes on.",
    )


def switch_prepared(site: Site, end: ends.SwitchPrepared) -> Card:
    """Little is left to do within the write window."""
    asked = statements.psql(
        end.to,
        "How far the sleeping slot is behind, in bytes",
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) FROM pg_replication_slots"  # noqa: S608 - our own name
        f"\nWHERE slot_name = '{statements.channel(end.to)}';",
        prints="a small number",
    )
    return Card(
        key=f"prepare-switch-to-{end.to}",
        component=Component.DATABASE,
        title=aim(end),
        does=f"moves the {end.to}'s sleeping slot along and refreshes statistics, so that the write window stays short",
        see=(watched(f"{reached(end)}."), asked),
        by_hand=(),
        limits=_attempts(site),
        hazard="By hand it may be left out: the write window is longer then, and nothing else.",
    )


def writer_is(site: Site, end: ends.WriterIs) -> Card:
    """`end.side` alone takes writes."""
    to, switch = end.side, site.file.database.switch
    return Card(
        key=f"switch-to-{to}",
        component=Component.DATABASE,
        title=aim(end),
        does=f"fences the {to.other}, waits for the writers inside and for the last change to arrive, sets sequences "
        f"ahead, and opens the {to}; a failure before the opening opens the {to.other} again",
        see=(
            watched(f"{reached(end)}."),
            statements.writer(to, f"The {to} is open", prints=f"{to}|t|{end.epoch}"),
            statements.writer(to.other, f"The {to.other} is closed", prints=f"{to.other}|f|{end.epoch}"),
        ),
        by_hand=switch_by_hand(site, to),
        limits=(
            limit("writers inside are waited for", switch.lock_timeout, "database.switch.lock_timeout"),
            limit("the last change is waited for", switch.drain_timeout, "database.switch.drain_timeout"),
            *_attempts(site),
        ),
        hazard=f"Never open the {to} before the {to.other} was seen to be closed: two writers are worse than none.",
    )


def switch_settled(site: Site, end: ends.WriterIs) -> Card:
    """Who takes writes is known again, after a switch that broke off."""
    switch = site.file.database.switch
    return Card(
        key="switch-settled",
        component=Component.DATABASE,
        title="find out who takes writes, by bringing the switch that broke off to an end",
        does="tries the switch to the target again before it hears anybody: it ends with the target open, with the "
        "source open again, or, when neither can be had twice, with the word that neither side takes writes",
        see=(
            watched(f"{reached(end)}, or why not."),
            *(statements.writer(side, f"The {side}'s own word", prints=f"{side}|t or f|{end.epoch}") for side in Side),
        ),
        by_hand=(),
        limits=(
            limit("writers inside are waited for", switch.lock_timeout, "database.switch.lock_timeout"),
            limit("the last change is waited for", switch.drain_timeout, "database.switch.drain_timeout"),
        ),
        hazard="Do not open a side by hand while an engine is at it. When it is gone, see 'The engine is gone'.",
    )


def switch_by_hand(site: Site, to: Side) -> tuple[Command, ...]:
    """The whole switch: the fence first, the opening last. `$EPOCH` is set, and no engine runs."""
    switch = site.file.database.switch
    return (
        *statements.fence(to.other, switch.lock_timeout),
        *statements.marker_arrives(to.other, "drain", MARKER_PATIENCE),
        *statements.take_over(to, switch.sequence_margin),
        *statements.open_side(to),
    )


def data_verified(site: Site, end: ends.DataVerified) -> Card:
    """Every row is the same on both sides."""
    compared = verify(live=True)
    return Card(
        key=f"verify-{end.primary}",
        component=Component.DATABASE,
        title=aim(end),
        does="compares every row of both sides under live writes, and names each key that differs",
        see=(watched(f"{reached(end)}."), compared),
        by_hand=(compared,),
        limits=(limit("a verification may take", site.file.verification.time_limit, "verification.time_limit"),),
        hazard="A difference here turns nothing back any more: it ends the migration for a person to look. Keep both "
        "databases until every key that was named is explained.",
    )


def verify(*, live: bool) -> Command:
    return Command(
        says="Every row of both sides",
        text=f'crossfade verify --source "$SOURCE" --target "$TARGET"{" --live" if live else ""}',
        prints="✓ … rows in … tables compared in … s: 0 differences, 0 unresolved",
    )


def replication_removed(site: Site, end: ends.ReplicationRemoved) -> Card:
    """Nothing of the migration is left in the source."""
    asked = statements.psql(
        Side.SOURCE,
        "What is left of the migration in the source",
        "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'crossfade_from_%'"
        "\nUNION ALL SELECT pubname FROM pg_publication WHERE pubname LIKE 'crossfade_from_%'"
        "\nUNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'crossfade';",
        prints="(nothing)",
    )
    return Card(
        key="replication-removed",
        component=Component.DATABASE,
        title=aim(end),
        does="ends whoever is within a switch, opens the source where it is closed, drops subscriptions, slots, "
        "publications and what it made on the target; where it finds the target open it fails back instead",
        see=(watched(f"{reached(end)}."), asked),
        by_hand=(
            statements.writer(Side.TARGET, "First of all: the target must be closed", prints="target|f|0"),
            *remove_by_hand(),
        ),
        limits=_attempts(site),
        hazard="A slot that is left keeps WAL until the source's disk is full. What was copied to the target is gone "
        "afterwards: another try begins with a full load.",
    )


def remove_by_hand() -> tuple[Command, ...]:
    """Both directions, then what the migration keeps of its own. The way back goes first: the source owns the rest."""
    return (
        *statements.take_away(Side.SOURCE),
        *statements.take_away(Side.TARGET),
        *(statements.forget(side) for side in Side),
    )


def _attempts(site: Site) -> tuple[Limit, ...]:
    retry = site.file.database.switch.retry_after
    return (
        limit("it is tried again after", retry, "database.switch.retry_after"),
        limit("and given up, for a person, after tries:", float(site.tries), "database.switch.attempts"),
    )
