"""What may happen to the database and its rows. Source: docs/database-switch.md, and what users of other tools met."""

from collections.abc import Iterator
from datetime import date, timedelta

from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Path
from crossfade.model.file.database import LobMode, ReplicationEngine
from crossfade.model.file.quantities import bandwidth_text, size_text
from crossfade.planning.readiness.support import database_of, release_of
from crossfade.planning.risks.knowledge import (
    Category,
    Clue,
    Countered,
    Known,
    Seen,
    Shown,
    always,
    nothing_shows,
    shown,
)
from crossfade.planning.risks.rating import Probability

FAILOVER_SLOTS = 17
"""First version whose slots can survive a failover. Source: PostgreSQL 17 release notes."""
_ENGINE, _MIB, _TOLD = "PostgreSQL", 2**20, 5
_OF_THE_LINK = 2
"""The full load is reckoned with one part in so many of the link, which carries users and files as well."""


def _out_of_support(seen: Seen) -> Shown | None:
    return shown(Probability.LIKELY, _old_versions(seen))


def _old_versions(seen: Seen) -> Iterator[Clue]:
    end = max(seen.on, seen.file.planning.deadline or seen.on)
    version = seen.file.database.source.version
    until = _supported_until(str(version))
    if until is not None and until < end:
        yield Clue(f"PostgreSQL {version}: no fixes after {until}", "database.source.version")
    for database in seen.inventory.databases if seen.inventory else ():
        is_postgres = "postgres" in (database.engine or "").lower()
        until = _supported_until(database.version or "") if is_postgres else None
        if until is not None and until < end:
            yield Clue(
                f"{database.name}: {database.engine} {database.version}, no fixes after {until}", "", database.places
            )


def _supported_until(version: str) -> date | None:
    """The day of the last release of a PostgreSQL version; None: the table of support does not have it."""
    engine = database_of(_ENGINE)
    found = release_of(engine, version) if engine else None
    return found[1] if found else None


def full_load(size_bytes: int, file: MigrationFile) -> timedelta:
    """How long the first copy takes at least, at half of the primary path."""
    return timedelta(seconds=round(size_bytes * 8 * _OF_THE_LINK / _link_bits(file)))


def _link_bits(file: MigrationFile) -> int:
    path = file.connectivity
    return path.vpn.bandwidth if path.primary is Path.VPN else path.direct_connect.bandwidth


def _longer_than_allowed(seen: Seen) -> Shown | None:
    """The file's database, and each that the inventory has beside it: all of them move over the same link."""
    file, bits = seen.file, _link_bits(seen.file)
    link = Clue(f"the link carries {bandwidth_text(bits)}", f"connectivity.{file.connectivity.primary}.bandwidth")
    limit = file.database.replication.full_load_limit
    if halting := [clue for lasts, clue in _full_loads(seen) if lasts > limit]:
        allowed = Clue(f"a full load of more than {limit} halts the migration", "database.replication.full_load_limit")
        return Shown(Probability.EXPECTED, (*halting[:_TOLD], link, allowed))
    longest = max((window.duration for window in file.planning.windows), default=None)
    if longest is None:
        return None
    if longer := [clue for lasts, clue in _full_loads(seen) if lasts > longest]:
        window = Clue(f"no window is longer than {longest}", "planning.windows")
        return Shown(Probability.LIKELY, (*longer[:_TOLD], link, window))
    return None


def _full_loads(seen: Seen) -> Iterator[tuple[timedelta, Clue]]:
    """The largest first, but for the file's own, which stands before all."""
    own = seen.file.database
    lasts = full_load(own.size, seen.file)
    yield lasts, Clue(f"{size_text(own.size)} take {lasts} at half of the link", "database.size")
    found = [
        (database.size_mib * _MIB, database)
        for database in (seen.inventory.databases if seen.inventory else ())
        if database.size_mib is not None and database.name.casefold() != own.name.casefold()
    ]
    for size, database in sorted(found, key=lambda each: (-each[0], each[1].name)):
        lasts = full_load(size, seen.file)
        says = f"{database.name}: {size_text(size)} take {lasts} at half of the link"
        yield lasts, Clue(says, "", database.places[:1])


def _large_objects(seen: Seen) -> Shown | None:
    replication = seen.file.database.replication
    if replication.engine is not ReplicationEngine.DMS or replication.lob.mode is LobMode.FULL:
        return None
    gone = replication.lob.mode is LobMode.NONE
    says = "large objects are left behind" if gone else f"what is over {size_text(replication.lob.max_size)} is cut"
    clues = (Clue(says, "database.replication.lob.mode"), Clue("DMS moves them", "database.replication.engine"))
    return Shown(Probability.EXPECTED if gone else Probability.LIKELY, clues)


def _rounded(seen: Seen) -> Shown | None:
    replication = seen.file.database.replication
    if replication.engine is not ReplicationEngine.DMS or replication.dms.numeric_scale is not None:
        return None
    return Shown(Probability.POSSIBLE, (Clue("DMS is given no scale", "database.replication.dms.numeric_scale"),))


def _no_identity(seen: Seen) -> Shown | None:
    accepted = seen.file.database.preflight_accept
    return shown(Probability.LIKELY, (Clue(f"accepted: {one}", "database.preflight_accept") for one in accepted))


def _slot_lost(seen: Seen) -> Shown | None:
    source = seen.file.database.source
    if not source.highly_available or source.version >= FAILOVER_SLOTS:
        return None
    clues = (
        Clue("the source may fail over", "database.source.highly_available"),
        Clue(f"slots of PostgreSQL {source.version} do not survive that", "database.source.version"),
    )
    return Shown(Probability.POSSIBLE, clues)


def _one_zone(seen: Seen) -> Shown | None:
    if seen.file.database.target.multi_az:
        return None
    return Shown(Probability.POSSIBLE, (Clue("there is no standby", "database.target.multi_az"),))


def _verified(file: MigrationFile) -> bool:
    return file.bake.duration >= file.bake.verification_interval


RISKS = (
    Known(
        id="postgresql-out-of-support",
        title="The database gets no fixes any more, and a fault found in it stays",
        category=Category.DATA,
        impact=3,
        look=_out_of_support,
        countered=(
            Countered(
                "move to a version that is supported",
                "database.target.version",
                lambda file: file.database.target.version > file.database.source.version,
                probability=1,
            ),
        ),
        contingencies=("bring the cutover forward", "buy extended support until then"),
        limits=(("what runs on the new version is slower", "limits.judge.latency_margin_percent"),),
    ),
    Known(
        id="full-load-too-long",
        title="The full load takes longer than it may",
        category=Category.SCHEDULE,
        impact=3,
        look=_longer_than_allowed,
        countered=(
            Countered(
                "copy several tables at once",
                "database.replication.copy_workers",
                lambda file: file.database.replication.copy_workers > 1,
                probability=1,
            ),
        ),
        contingencies=(
            "widen the link for the full load",
            "begin earlier: it needs no change window, the source goes on",
        ),
        limits=(("the full load takes longer than this", "database.replication.full_load_limit"),),
    ),
    Known(
        id="large-objects-cut",
        title="Large objects are cut or left behind",
        category=Category.DATA,
        impact=4,
        look=_large_objects,
        countered=(Countered("verify row by row before cutover", "verification.hash", always, probability=2),),
        contingencies=("move with lob.mode: full, or natively", "copy the named rows again before cutover"),
        limits=(("a value is longer than this", "database.replication.lob.max_size"),),
    ),
    Known(
        id="numbers-rounded",
        title="Amounts are rounded on their way",
        category=Category.DATA,
        impact=4,
        look=_rounded,
        countered=(Countered("verify row by row before cutover", "verification.hash", always, probability=1),),
        contingencies=("set a scale, or move natively", "do not cut over before verification passes"),
        limits=(("verification takes longer than this, and has not passed", "verification.time_limit"),),
    ),
    Known(
        id="no-replica-identity",
        title="A table without replica identity: its updates stop, or do not arrive",
        category=Category.DATA,
        impact=4,
        look=_no_identity,
        common=Probability.POSSIBLE,
        countered=(
            Countered(
                "preflight refuses such tables before anything is built", "database.tables", always, probability=1
            ),
        ),
        contingencies=("give the table a primary key, or REPLICA IDENTITY FULL", "drop the publication: updates go on"),
        limits=(("changes do not arrive", "database.replication.max_lag_bytes"),),
    ),
    Known(
        id="wal-fills-the-source",
        title="WAL that nobody fetches fills the source's disk",
        category=Category.DATA,
        impact=4,
        look=nothing_shows,
        common=Probability.POSSIBLE,
        countered=(
            Countered("the slot is dropped first", "database.replication.wal.drop_at", always, impact=2),
            Countered("people are told before", "database.replication.wal.warn_at", always, probability=1),
        ),
        contingencies=("the migration rolls back and starts anew; the source lives on",),
        limits=(
            ("the source keeps more WAL than this", "database.replication.wal.warn_at"),
            ("less disk than this is left", "database.replication.source_guard.free_disk_warn"),
        ),
    ),
    Known(
        id="sequences-behind",
        title="Sequences lie behind after a switch, and keys are given twice",
        category=Category.DATA,
        impact=4,
        look=nothing_shows,
        common=Probability.POSSIBLE,
        countered=(
            Countered("the switch sets them ahead", "database.switch.sequence_margin", always, probability=1, impact=1),
        ),
        contingencies=("fail back, set the sequences, cut over again",),
        limits=(("more keys than this are given out within the switch", "database.switch.sequence_margin"),),
    ),
    Known(
        id="long-transactions",
        title="A long transaction holds up the fence, and the cutover with it",
        category=Category.DATA,
        impact=2,
        look=nothing_shows,
        common=Probability.LIKELY,
        countered=(
            Countered(
                "it is tried again",
                "database.switch.attempts",
                lambda file: file.database.switch.attempts > 1,
                probability=1,
            ),
            Countered(
                "sessions that block are ended",
                "database.switch.end_long_transactions",
                lambda file: file.database.switch.end_long_transactions,
                probability=1,
            ),
        ),
        contingencies=("the fence is lifted at once; end the named session, and approve again",),
        limits=(("a lock is waited for longer than this", "database.switch.lock_timeout"),),
    ),
    Known(
        id="differences",
        title="Source and target differ in rows that nobody looked at",
        category=Category.DATA,
        impact=4,
        look=nothing_shows,
        common=Probability.POSSIBLE,
        countered=(
            Countered("every row is compared before cutover", "verification.hash", always, probability=1),
            Countered("and again while both sides live", "bake.verification_interval", _verified, impact=1),
        ),
        contingencies=("fail back over the way back, which loses no write", "copy the named keys again"),
        limits=(("verification takes longer than this, and has not passed", "verification.time_limit"),),
    ),
    Known(
        id="slot-lost",
        title="A failover of the source loses the replication slot, and changes with it",
        category=Category.DATA,
        impact=3,
        look=_slot_lost,
        countered=(Countered("a changed slot is noticed", "database.replication.max_lag_time", always, impact=1),),
        contingencies=("begin with a new full load",),
        limits=(("no marker has arrived for this long", "database.replication.max_lag_time"),),
    ),
    Known(
        id="target-without-standby",
        title="The target's database stands in one zone",
        category=Category.DATA,
        impact=3,
        look=_one_zone,
        countered=(
            Countered(
                "fail back while the way back lives",
                "bake.fail_back_automatically",
                lambda file: file.bake.fail_back_automatically,
                impact=1,
            ),
        ),
        contingencies=("fail back", "restore from the automatic backups"),
        limits=(("the way back is later than this", "bake.max_way_back_lag"),),
    ),
)
