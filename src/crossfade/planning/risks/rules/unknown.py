"""What the inventory does not tell, or tells otherwise than the migration file."""

from crossfade.planning.inventory.records import Dependency, End, Inventory, Place, Power, Server
from crossfade.planning.risks.knowledge import Category, Clue, Countered, Known, Seen, Shown, shown
from crossfade.planning.risks.rating import Probability

_TOLD = 5


def _not_looked(seen: Seen) -> Shown | None:
    if seen.inventory is not None:
        return None
    named = seen.file.source.inventory
    says = "an inventory is named and was not read" if named else "no inventory is named, and none was read"
    return Shown(Probability.POSSIBLE, (Clue(says, "source.inventory"),))


def _unknown_ends(seen: Seen) -> Shown | None:
    """Servers of which nobody told who talks to them, when they are the most; and ends that nothing describes."""
    inventory = seen.inventory
    if inventory is None or not inventory.servers:
        return None
    silent = _silent(inventory)
    most = len(silent) * 2 > len(inventory.servers)
    clues = []
    if most:
        says = f"of {len(silent)} of {len(inventory.servers)} servers nothing tells who talks to them"
        clues.append(Clue(says, "", silent[0].places[:1]))
    open_ends = [one for one in inventory.dependencies if not (one.source.is_known and one.destination.is_known)]
    clues += [Clue(f"nothing describes {_name(one)}", "", one.places[:1]) for one in open_ends[:_TOLD]]
    many = len(open_ends) * 10 > len(inventory.dependencies)
    return shown(Probability.LIKELY if most or many else Probability.POSSIBLE, clues)


def _silent(inventory: Inventory) -> list[Server]:
    """Servers that stand in no dependency, nor does any of their applications."""
    ends = [end for one in inventory.dependencies for end in (one.source, one.destination)]
    servers = {end.server for end in ends}
    applications = {end.application for end in ends}
    return [
        server
        for server in inventory.servers
        if server.name not in servers and applications.isdisjoint(server.applications)
    ]


def _name(dependency: Dependency) -> str:
    end: End = dependency.destination if dependency.source.is_known else dependency.source
    return end.told or end.address or "an end without name"


def _not_understood(seen: Seen) -> Shown | None:
    inventory = seen.inventory
    if inventory is None:
        return None
    clues = [
        Clue(problem.problem, "", (Place(source=problem.source, sheet=problem.sheet, row=problem.row or 1),))
        for problem in inventory.problems[:_TOLD]
    ]
    for conflict in inventory.conflicts[:_TOLD]:
        at = tuple(places[0] for places in conflict.told.values() if places)
        clues.append(Clue(f"{conflict.name}: sources contradict each other on {conflict.column}", "", at))
    return shown(Probability.POSSIBLE, clues)


def _left_behind(seen: Seen) -> Shown | None:
    moves = seen.file.database.name.lower()
    others = [one for one in (seen.inventory.databases if seen.inventory else ()) if one.name.lower() != moves]
    clues = [Clue(f"the file does not move {one.name}", "", one.places[:1]) for one in others]
    return shown(Probability.POSSIBLE, clues[:_TOLD])


def _other_count(seen: Seen) -> Shown | None:
    if seen.inventory is None or not seen.inventory.servers:
        return None
    running = [one for one in seen.inventory.servers if not one.is_template and one.power is not Power.OFF]
    told = seen.file.servers.count
    if len(running) == told:
        return None
    places = running[-1].places[:1] if running else ()
    return Shown(
        Probability.POSSIBLE,
        (
            Clue(f"the file moves {told} servers", "servers.count"),
            Clue(f"{len(running)} are told that run, or may", "", places),
        ),
    )


def _shared(seen: Seen) -> Shown | None:
    services = seen.applications.services if seen.applications else ()
    clues = [
        Clue(f"{one.server} serves many: {', '.join(role.role for role in one.roles)}", "", _rows_of(seen, one.server))
        for one in services[:_TOLD]
    ]
    return shown(Probability.POSSIBLE, clues)


def _tied(seen: Seen) -> Shown | None:
    ties = seen.applications.ties if seen.applications else ()
    clues = [
        Clue(f"{one.server} runs {', '.join(one.applications)}", "", _rows_of(seen, one.server)) for one in ties[:_TOLD]
    ]
    return shown(Probability.POSSIBLE, clues)


def _rows_of(seen: Seen, name: str) -> tuple[Place, ...]:
    servers = seen.inventory.servers if seen.inventory else ()
    return next((server.places[:1] for server in servers if server.name == name), ())


RISKS = (
    Known(
        id="shared-services-stay",
        title="What many share stays behind, or leaves before those who need it",
        category=Category.UNKNOWN,
        impact=3,
        look=_shared,
        countered=(
            Countered(
                "the data center resolves names of both sides",
                "traffic.dns.resolver_endpoints",
                lambda file: file.traffic.dns.resolver_endpoints,
                probability=1,
            ),
        ),
        contingencies=("run the service on both sides until the last wave",),
        limits=(("the old side is stopped after this", "traffic.keep_warm"),),
    ),
    Known(
        id="tied-servers",
        title="A server of several applications moves with one, and the others lose it",
        category=Category.UNKNOWN,
        impact=3,
        look=_tied,
        contingencies=("move them together, or divide the server first",),
        limits=(("the old side is stopped after this", "traffic.keep_warm"),),
    ),
    Known(
        id="data-center-not-looked-at",
        title="Something in the data center depends on what moves, and nobody knew",
        category=Category.UNKNOWN,
        impact=3,
        look=_not_looked,
        countered=(
            Countered(
                "both sides run for a while",
                "traffic.keep_warm",
                lambda file: bool(file.traffic.keep_warm),
                impact=1,
            ),
        ),
        contingencies=("users go back; read an inventory with crossfade inventory",),
        limits=(("the old side is stopped after this", "traffic.keep_warm"),),
    ),
    Known(
        id="dependencies-unknown",
        title="What moves is asked, or asks, where nobody looked",
        category=Category.UNKNOWN,
        impact=3,
        look=_unknown_ends,
        countered=(
            Countered(
                "both sides run for a while",
                "traffic.keep_warm",
                lambda file: bool(file.traffic.keep_warm),
                impact=1,
            ),
        ),
        contingencies=("users go back; describe the end, and plan anew",),
        limits=(("the old side is stopped after this", "traffic.keep_warm"),),
    ),
    Known(
        id="inventory-not-understood",
        title="The plan rests on rows that were not understood, or contradict each other",
        category=Category.UNKNOWN,
        impact=2,
        look=_not_understood,
        contingencies=("correct the rows, and read them again",),
        limits=(("fewer or more servers than this turn up", "servers.count"),),
    ),
    Known(
        id="databases-left-behind",
        title="A database stays behind that is needed on the other side",
        category=Category.DATA,
        impact=3,
        look=_left_behind,
        contingencies=("users go back; describe a migration for it as well",),
        limits=(("the 95th percentile is over this", "limits.max_p95"),),
    ),
    Known(
        id="servers-miscounted",
        title="Inventory and file do not mean the same servers",
        category=Category.UNKNOWN,
        impact=2,
        look=_other_count,
        contingencies=("set servers.count, or say what stays under planning.out_of_scope",),
        limits=(("fewer or more servers than this turn up", "servers.count"),),
    ),
)
