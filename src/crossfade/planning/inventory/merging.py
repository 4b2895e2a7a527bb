"""One inventory from everything that was read. The same sources in the same order give the same inventory."""

from collections.abc import Iterable
from dataclasses import fields

from crossfade.planning.inventory.collection import MOST_PLACES, Collection
from crossfade.planning.inventory.directory import Directory
from crossfade.planning.inventory.folding import folded
from crossfade.planning.inventory.identity import Cluster, Identities
from crossfade.planning.inventory.layout import Fragment
from crossfade.planning.inventory.linking import linked
from crossfade.planning.inventory.records import (
    Application,
    Conflict,
    Database,
    Dependency,
    Files,
    Host,
    Inventory,
    Kind,
    Merge,
    Place,
    Server,
)
from crossfade.planning.inventory.software import engine_of

_OF_SERVERS = tuple(f.name for f in fields(Server) if f.name not in {"name", "other_names", "places"})
_OF_HOSTS = tuple(f.name for f in fields(Host) if f.name not in {"name", "places"})
_OF_APPLICATIONS = tuple(f.name for f in fields(Application) if f.name not in {"name", "servers", "places"})
_OF_DATABASES = tuple(
    f.name for f in fields(Database) if f.name not in {"name", "engine", "server", "evidence", "places"}
)
_OF_FILES = tuple(f.name for f in fields(Files) if f.name not in {"name", "server", "places"})


def merged(collection: Collection) -> Inventory:
    """Records of which several rows tell are one, with the reason; what contradicts itself is listed."""
    merging = _Merging(collection)
    servers = merging.servers()
    directory = Directory(servers)
    dependencies = linked(collection, directory, merging.conflicts)
    applications = merging.applications(servers, dependencies)
    found = Inventory(
        servers=servers,
        hosts=merging.hosts(),
        applications=applications,
        databases=merging.databases(directory),
        files=merging.files(directory),
        dependencies=dependencies,
        merges=tuple(merging.merges),
        conflicts=tuple(merging.conflicts),
        problems=tuple(collection.problems),
        accounts=tuple(collection.accounts),
        told=merging.told | {Kind.DEPENDENCY: len(dependencies)},
    )
    rows = sum(account.accepted for account in collection.accounts)
    return _with_merged_rows(found, rows - sum(found.told.values()))


def _with_merged_rows(found: Inventory, rows: int) -> Inventory:
    values = {f.name: getattr(found, f.name) for f in fields(Inventory)}
    return Inventory(**values | {"merged_rows": rows})


class _Merging:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self.merges: list[Merge] = []
        self.conflicts: list[Conflict] = []
        self.told: dict[Kind, int] = {}

    def servers(self) -> tuple[Server, ...]:
        fragments = [fragment for fragment, _ in self._collection.of(Kind.SERVER)]
        identities = Identities(fragments)
        clusters = identities.clusters()
        names = _distinct([_name_of([fragments[i] for i in sorted(c.members)]) for c in clusters], clusters)
        found = tuple(self._server(name, c, fragments) for name, c in zip(names, clusters, strict=True))
        self.conflicts += identities.conflicts
        self.told[Kind.SERVER] = len(found)
        return found

    def _server(self, name: str, cluster: Cluster, fragments: list[Fragment]) -> Server:
        members = [fragments[i] for i in sorted(cluster.members)]
        values = folded(name, members, _OF_SERVERS, self.conflicts)
        values.pop("process_ids", None)
        told = [fragment.values["name"] for fragment in members if "name" in fragment.values]
        told += [other for fragment in members for other in fragment.values.get("other_names", ())]
        others = {other.casefold(): other for other in reversed(told) if other.casefold() != name.casefold()}
        for reason, value, member in sorted(cluster.links, key=lambda link: link[2]):
            self._merge(name, reason, value, (members[0].place, fragments[member].place))
        places = tuple(fragment.place for fragment in members)
        return Server(name=name, other_names=tuple(sorted(others.values())), places=places, **values)

    def _merge(self, name: str, reason: str, value: str, places: tuple[Place, ...]) -> None:
        self.merges.append(Merge(name=name, reason=reason, value=value, places=places))

    def hosts(self) -> tuple[Host, ...]:
        by_name = self._by_name(Kind.HOST)
        self.told[Kind.HOST] = len(by_name)
        return tuple(
            Host(name=_first_name(f), places=_places(f), **folded(_first_name(f), f, _OF_HOSTS, self.conflicts))
            for f in by_name.values()
        )

    def applications(self, servers: Iterable[Server], dependencies: Iterable[Dependency]) -> tuple[Application, ...]:
        """Those that rows are about, then those that servers and dependencies name."""
        by_name = self._by_name(Kind.APPLICATION)
        self.told[Kind.APPLICATION] = len(by_name)
        carried: dict[str, dict[str, None]] = {}
        called: dict[str, str] = {}
        for server in servers:
            for application in server.applications:
                called.setdefault(application.casefold(), application)
                carried.setdefault(application.casefold(), {})[server.name] = None
        for end in (end for dependency in dependencies for end in (dependency.source, dependency.destination)):
            if end.application:
                called.setdefault(end.application.casefold(), end.application)
                if end.server:
                    carried.setdefault(end.application.casefold(), {})[end.server] = None
        found = []
        for key in dict.fromkeys((*by_name, *called)):
            fragments = by_name.get(key, [])
            name = _first_name(fragments) if fragments else called[key]
            values = folded(name, fragments, _OF_APPLICATIONS, self.conflicts)
            found.append(
                Application(name=name, servers=tuple(carried.get(key, ())), places=_places(fragments), **values)
            )
        return tuple(found)

    def databases(self, directory: Directory) -> tuple[Database, ...]:
        """Those that rows tell; then those that a process or a tag names, unless a row tells of them."""
        told: dict[tuple[str, ...], list[Fragment]] = {}
        named: dict[tuple[str, ...], list[Fragment]] = {}
        for fragment, is_row in self._collection.of(Kind.DATABASE):
            server, values = directory.of_fragment(fragment) or directory.told_by(fragment), fragment.values
            key = (server or "", _engine(fragment) or "", values.get("application", ""), values.get("name", ""))
            (told if is_row else named).setdefault(tuple(part.casefold() for part in key), []).append(fragment)
        self.told[Kind.DATABASE] = len(told)
        covered = {key[:3] for key in told} | {(server, engine, "") for server, engine, *_ in told if server}
        groups = [*told.values(), *(group for key, group in named.items() if key[:3] not in covered)]
        for group in told.values():
            for again in group[1:]:
                self._merge(group[0].values.get("name", ""), "name", "", (group[0].place, again.place))
        return tuple(self._database(group, directory) for group in groups)

    def _database(self, fragments: list[Fragment], directory: Directory) -> Database:
        first, engine = fragments[0], _engine(fragments[0])
        server = directory.of_fragment(first) or directory.told_by(first)
        place = server or first.values.get("application") or "an unknown server"
        name = str(first.values.get("name") or f"{engine or 'database'} of {place}")
        process = first.values.get("process")
        evidence = first.values.get("evidence") or (f"process {process}" if process else "told")
        values = folded(name, fragments, _OF_DATABASES, self.conflicts)
        places = _places(fragments)
        return Database(name=name, engine=engine, server=server, evidence=evidence, places=places, **values)

    def files(self, directory: Directory) -> tuple[Files, ...]:
        by_name = self._by_name(Kind.FILES)
        self.told[Kind.FILES] = len(by_name)
        return tuple(
            Files(
                name=_first_name(f),
                server=directory.of_fragment(f[0]) or directory.told_by(f[0]),
                places=_places(f),
                **folded(_first_name(f), f, _OF_FILES, self.conflicts),
            )
            for f in by_name.values()
        )

    def _by_name(self, kind: Kind) -> dict[str, list[Fragment]]:
        by_name: dict[str, list[Fragment]] = {}
        for fragment, _ in self._collection.of(kind):
            by_name.setdefault(fragment.values["name"].casefold(), []).append(fragment)
        for told in by_name.values():
            for again in told[1:]:
                self._merge(_first_name(told), "name", _first_name(told), (told[0].place, again.place))
        return by_name


def _engine(fragment: Fragment) -> str | None:
    return fragment.values.get("engine") or engine_of(fragment.values.get("process", ""))


def _first_name(fragments: list[Fragment]) -> str:
    name: str = fragments[0].values["name"]
    return name


def _places(fragments: list[Fragment]) -> tuple[Place, ...]:
    return tuple(fragment.place for fragment in fragments)[:MOST_PLACES]


def _name_of(fragments: list[Fragment]) -> str:
    """What a server is called: its first name, or failing that a host name, an address, a MAC, an id."""
    for field in ("name", "host_names", "addresses", "mac_addresses", "ids", "uuid"):
        for fragment in fragments:
            if told := fragment.values.get(field):
                return told if isinstance(told, str) else str(told[0])
    raise AssertionError(fragments)


def _distinct(names: list[str], clusters: list[Cluster]) -> list[str]:
    """Servers that share a name have what tells them apart behind it, for every name must name one server."""
    times: dict[str, int] = {}
    for name in names:
        times[name.casefold()] = times.get(name.casefold(), 0) + 1
    taken: set[str] = set()
    found = []
    for name, cluster in zip(names, clusters, strict=True):
        full = name
        if times[name.casefold()] > 1:
            apart = next((value for _, value in sorted(cluster.apart.items()) if value != name.casefold()), "")
            full = f"{name} [{apart}]" if apart else name
        number = 2
        while full.casefold() in taken:
            full = f"{name} [{number}]"
            number += 1
        taken.add(full.casefold())
        found.append(full)
    return found
