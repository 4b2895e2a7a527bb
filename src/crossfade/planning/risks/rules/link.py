"""What may happen between the sites."""

from collections.abc import Iterator

from crossfade.model.file import MigrationFile
from crossfade.model.file.connectivity import Path
from crossfade.model.file.database import TlsMode
from crossfade.model.file.quantities import bandwidth_text
from crossfade.model.file.traffic import Strategy
from crossfade.planning.risks.knowledge import Category, Clue, Countered, Known, Seen, Shown, nothing_shows, shown
from crossfade.planning.risks.rating import Probability

_TOLD = 5
"""Clues of one kind that are listed one by one."""


def _no_backup(seen: Seen) -> Shown | None:
    link = seen.file.connectivity
    clues = []
    if not link.direct_connect.enabled:
        if link.primary is Path.DIRECT_CONNECT:
            clues.append(Clue("Direct Connect is the primary and is not built", "connectivity.direct_connect.enabled"))
        else:
            clues.append(Clue("both tunnels end at one router", "connectivity.direct_connect.enabled"))
    if link.cut_over_without_backup:
        clues.append(Clue("the cutover does not wait for a second path", "connectivity.cut_over_without_backup"))
    return shown(Probability.LIKELY if len(clues) > 1 else Probability.POSSIBLE, clues)


def _narrow_backup(seen: Seen) -> Shown | None:
    link = seen.file.connectivity
    if not link.direct_connect.enabled:
        return None
    widths = {Path.VPN: link.vpn.bandwidth, Path.DIRECT_CONNECT: link.direct_connect.bandwidth}
    backup = Path.VPN if link.primary is Path.DIRECT_CONNECT else Path.DIRECT_CONNECT
    if widths[backup] >= widths[link.primary]:
        return None
    says = "the backup carries {}, the primary {}".format(*(bandwidth_text(widths[p]) for p in (backup, link.primary)))
    return Shown(Probability.POSSIBLE, (Clue(says, f"connectivity.{backup}.bandwidth"),))


def _addresses(seen: Seen) -> Shown | None:
    """Addresses change for certain; that somebody outside uses them is what an inventory can show."""
    file = seen.file
    if file.servers.cutover.copy_private_address:
        return None
    outside = tuple(_asked_from_outside(seen))
    named = [i for i, server in enumerate(file.source.servers) if server.address is not None]
    if not outside and not named:
        return None
    clues = list(outside[:_TOLD])
    if named:
        clues.append(
            Clue(
                f"{len(named)} servers have addresses that change",
                f"source.servers[{named[0]}].address",
            )
        )
    return Shown(Probability.LIKELY if outside else Probability.POSSIBLE, tuple(clues))


def _asked_from_outside(seen: Seen) -> Iterator[Clue]:
    """Ends that no source describes, and that ask a server which moves: nobody will tell them its new address."""
    for dependency in seen.inventory.dependencies if seen.inventory else ():
        asked, asking = dependency.destination, dependency.source
        if asked.server is not None and not asking.is_known and asked.address is not None:
            who = asking.address or asking.told or "an unknown end"
            yield Clue(f"{who} asks {asked.server} at {asked.address}", "", dependency.places[:1])


def _weak_tls(seen: Seen) -> Shown | None:
    sides = (("source", seen.file.database.source.tls), ("target", seen.file.database.target.tls))
    return shown(
        Probability.POSSIBLE,
        (
            Clue(f"nobody verifies who the {side} is", f"database.{side}.tls")
            for side, mode in sides
            if mode is TlsMode.REQUIRE
        ),
    )


def _waits_for_backup(file: MigrationFile) -> bool:
    return not file.connectivity.cut_over_without_backup


RISKS = (
    Known(
        id="link-without-backup",
        title="The link between the sites is lost, and nothing stands in for it",
        category=Category.NETWORK,
        impact=3,
        look=_no_backup,
        countered=(
            Countered(
                "the cutover waits until two paths carry",
                "connectivity.cut_over_without_backup",
                _waits_for_backup,
                impact=1,
            ),
        ),
        contingencies=("users go back to the source, which needs no link", "hold until the link is there again"),
        limits=(("changes arrive later than this", "database.replication.max_lag_time"),),
    ),
    Known(
        id="backup-narrower",
        title="The backup path cannot carry what the primary does",
        category=Category.NETWORK,
        impact=2,
        look=_narrow_backup,
        contingencies=("pause the copying of files", "lower the share while the backup carries"),
        limits=(("changes arrive later than this", "database.replication.max_lag_time"),),
    ),
    Known(
        id="addresses-change",
        title="Somebody reaches servers by addresses that change",
        category=Category.NETWORK,
        impact=3,
        look=_addresses,
        countered=(
            Countered(
                "the data center resolves the new names",
                "traffic.dns.resolver_endpoints",
                lambda file: file.traffic.dns.resolver_endpoints,
                probability=1,
            ),
        ),
        contingencies=("keep the old side warm until nobody asks there any more", "forward the old addresses"),
        limits=(("the old side is stopped after this", "traffic.keep_warm"),),
    ),
    Known(
        id="link-latency",
        title="Statements that cross the link make the modern servers slow until cutover",
        category=Category.NETWORK,
        impact=2,
        look=nothing_shows,
        common=Probability.LIKELY,
        countered=(
            Countered(
                "few users feel it first",
                "traffic.strategy",
                lambda file: file.traffic.strategy is Strategy.CANARY,
                impact=1,
            ),
        ),
        contingencies=("share 0, and cut over at night with few users",),
        limits=(
            ("the 95th percentile is over this", "limits.max_p95"),
            ("the canary is slower by more than this", "limits.judge.latency_margin_percent"),
        ),
    ),
    Known(
        id="tls-not-verified",
        title="Somebody between the sites reads or changes what the databases say",
        category=Category.SECURITY,
        impact=4,
        look=_weak_tls,
        contingencies=("set verify-full and name the authority's certificate", "change the credentials"),
        limits=(("secrets are older than this", "posture.secret_rotation_days"),),
    ),
)
