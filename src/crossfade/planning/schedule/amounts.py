"""What a wave has to copy, and what the migration file allows for it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta

from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Path
from crossfade.model.plan import Plan
from crossfade.model.resolve import plan_for_rehearsal

_AS_LONG_AS_IT_TAKES = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Bytes by how they are copied; never negative.

    Servers' disks by what is used of them (`used_bytes`) where that is told, else by their capacity alone
    (`capacity_bytes`); of `unsized_servers` nothing is told. `changes_bytes_s` is what was measured to change,
    `unmeasured_bytes` is the part of all bytes of which no change rate is told.
    """

    database_bytes: int = 0
    files_bytes: int = 0
    used_bytes: int = 0
    capacity_bytes: int = 0
    servers: int = 0
    unsized_servers: int = 0
    changes_bytes_s: float = 0.0
    unmeasured_bytes: int = 0

    @property
    def told_bytes(self) -> int:
        """All that is told; disks by their capacity where nothing better is."""
        return self.database_bytes + self.files_bytes + self.used_bytes + self.capacity_bytes

    @classmethod
    def sum(cls, amounts: "Iterable[Amounts]") -> "Amounts":
        """All of them together."""
        several = tuple(amounts)
        return cls(**{each.name: sum(getattr(one, each.name) for one in several) for each in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A wave that has to be laid out: its day, who moves, and what is copied for them."""

    wave: int
    day: date
    applications: tuple[str, ...]
    amounts: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the migration file sets: the link, limits of copying, and the runbook with the waits that it really waits.

    `files_bits_s` limits the copying of files, `server_bits_s` that of each server; None: only the link does.
    """

    link_name: str
    link_bits_s: int
    over_vpn: bool
    copy_workers: int
    files_bits_s: int | None
    server_bits_s: int | None
    switch_at_most: timedelta
    runbook: Plan


def terms_of(file: MigrationFile) -> Terms:
    """The terms of `file`: its runbook is resolved as for a rehearsal, at the pace of the real world."""
    link, switch = file.connectivity, file.database.switch
    over_vpn = link.primary is Path.VPN
    one_attempt = switch.lock_timeout + switch.drain_timeout + switch.retry_after
    return Terms(
        link_name="VPN" if over_vpn else "Direct Connect",
        link_bits_s=link.vpn.bandwidth if over_vpn else link.direct_connect.bandwidth,
        over_vpn=over_vpn,
        copy_workers=file.database.replication.copy_workers,
        files_bits_s=file.files.bandwidth_limit,
        server_bits_s=file.servers.staging.bandwidth_limit,
        switch_at_most=switch.attempts * one_attempt,
        runbook=plan_for_rehearsal(_at_real_pace(file), file.migration.name, speed=1.0),
    )


def _at_real_pace(file: MigrationFile) -> MigrationFile:
    pace = {"time_scale": 1.0, "longest_wait": _AS_LONG_AS_IT_TAKES}
    return file.model_copy(update={"rehearsal": file.rehearsal.model_copy(update=pace)})
