"""What nobody knows, counted, with the first names and with how it becomes known."""

from collections.abc import Iterator, Sequence

from crossfade.planning.applications import ApplicationMap
from crossfade.planning.applications.records import Certainty
from crossfade.planning.inventory import Inventory
from crossfade.planning.inventory.records import Power
from crossfade.planning.plan.movers import Mover
from crossfade.planning.plan.records import Unknown

_FIRST = 5
_UNSURE = frozenset({Certainty.POSSIBLE, Certainty.UNKNOWN})


def unknowns_of(inventory: Inventory, found: ApplicationMap, movers: Sequence[Mover]) -> Iterator[Unknown]:
    """In the order in which they matter to a plan; what is known of all is not in it."""
    for about, names, of, remedy in (
        *_of_movers(inventory, movers),
        *_of_servers(movers),
        *_of_sources(inventory, found),
    ):
        if names:
            yield Unknown(about=about, count=len(names), of=of, names=tuple(names[:_FIRST]), remedy=remedy)


_Row = tuple[str, list[str], int, str]


def _of_movers(inventory: Inventory, movers: Sequence[Mover]) -> Iterator[_Row]:
    every = len(movers)
    owners = [mover.name for mover in movers if not mover.application.owner]
    yield "who owns an application", owners, every, "name an owner in the export or a record of the application"
    unsure = [mover.name for mover in movers if mover.application.certainty in _UNSURE]
    remedy = "name applications in tags or records, or read a list of connections"
    yield "whether servers are one application", unsure, every, remedy
    talking = {
        end.server or end.application for each in inventory.dependencies for end in (each.source, each.destination)
    }
    silent = [
        mover.name
        for mover in movers
        if mover.name not in talking and talking.isdisjoint(server.name for server in mover.servers)
    ]
    remedy = "read a list of connections (ss -tnap, flow logs, an export of dependencies)"
    yield "with whom an application talks", silent, every, remedy
    homeless = [mover.name for mover in movers if not mover.servers]
    yield "where an application runs", homeless, every, "name its servers"


def _of_servers(movers: Sequence[Mover]) -> Iterator[_Row]:
    servers = [server for mover in movers for server in mover.servers]
    every = len(servers)
    unsized = [server.name for server in servers if server.disk_used_mib is None and server.disk_mib is None]
    yield "how much a server holds", unsized, every, "read an export with disks (RVTools vDisk or vPartition)"
    capacity = [server.name for server in servers if server.disk_used_mib is None and server.disk_mib is not None]
    yield "how much of its disks a server uses", capacity, every, "read an export with partitions (RVTools vPartition)"
    unmeasured = [server.name for server in servers if server.disk_write_kib_s is None]
    yield "how fast a server's data changes", unmeasured, every, "measure disk writes, over a week at least"
    systems = [server.name for server in servers if not server.operating_system]
    yield "what a server runs on", systems, every, "read an export with operating systems"
    off = [server.name for server in servers if server.power is Power.OFF]
    yield "whether a server that is switched off moves", off, every, "name it under planning.out_of_scope if it stays"
    databases = [database for mover in movers for database in mover.databases]
    sizes = [database.name for database in databases if database.size_mib is None]
    yield "how large a database is", sizes, len(databases), "tell its size: SELECT pg_database_size(…)"


def _of_sources(inventory: Inventory, found: ApplicationMap) -> Iterator[_Row]:
    ends = [end.name for end in found.unknown_ends]
    yield "what answers or asks outside", ends, len(found.unknown_ends), "describe them in an inventory"
    problems = [f"{each.source} {each.sheet} {each.row or ''}".strip() for each in inventory.problems]
    yield (
        "what a row of a source means",
        problems,
        inventory.accepted + len(problems),
        "`crossfade inventory` tells each",
    )
    conflicts = [f"{each.name}: {each.column}" for each in inventory.conflicts]
    yield "which of several sources is right", conflicts, len(conflicts), "`crossfade inventory` tells what each says"
