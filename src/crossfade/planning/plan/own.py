"""What the migration file itself tells of the data center, beside or instead of an inventory."""

from collections.abc import Iterator
from dataclasses import replace

from crossfade.model.file import MigrationFile
from crossfade.model.file.tree import Tree
from crossfade.planning.inventory import Inventory
from crossfade.planning.inventory.records import Application, Database, Files, Place, Server

_MIB = 2**20


def with_own(inventory: Inventory | None, file: MigrationFile, tree: Tree, name: str) -> Inventory:
    """The inventory with the application that the file describes: its servers, its database, its files.

    Servers that the inventory knows by a name or an address are that application's from then on. Those that have no
    name in the file are counted only where no inventory says better.
    """
    known = inventory or Inventory()
    servers, others = list(known.servers), []
    for told in _servers(file, tree, name, unnamed=not known.servers):
        place = next((n for n, server in enumerate(servers) if _same(server, told)), None)
        if place is None:
            others.append(told)
        else:
            names = dict.fromkeys((*servers[place].applications, *told.applications))
            servers[place] = replace(servers[place], applications=tuple(names))
    return replace(
        known,
        servers=(*servers, *others),
        applications=(*known.applications, *_application(known, file, tree, name)),
        databases=(*known.databases, *_database(known, file, tree, name)),
        files=(*known.files, *_files(known, file, tree, name)),
    )


def _servers(file: MigrationFile, tree: Tree, name: str, *, unnamed: bool) -> Iterator[Server]:
    own = file.migration.name
    for n, server in enumerate(file.source.servers):
        yield Server(
            name=server.name,
            addresses=(str(server.address),) if server.address else (),
            operating_system=server.operating_system or None,
            tier=server.tier,
            applications=(own,),
            places=(_place(tree, name, "source", "servers", n),),
        )
    if unnamed:
        for made in file.server_names()[len(file.source.servers) :]:
            yield Server(name=made, applications=(own,), places=(_place(tree, name, "servers", "count"),))


def _same(server: Server, told: Server) -> bool:
    names = {each.casefold() for each in (server.name, *server.other_names, *server.host_names)}
    if told.name.casefold() in names | {each.split(".")[0] for each in names}:
        return True
    return not set(server.addresses).isdisjoint(told.addresses)


def _application(known: Inventory, file: MigrationFile, tree: Tree, name: str) -> Iterator[Application]:
    own = file.migration
    if own.name.casefold() not in {each.name.casefold() for each in known.applications}:
        place = _place(tree, name, "migration", "name")
        yield Application(name=own.name, description=own.description or None, owner=own.owner, places=(place,))


def _database(known: Inventory, file: MigrationFile, tree: Tree, name: str) -> Iterator[Database]:
    own, database = file.migration.name, file.database
    for each in known.databases:
        if each.name.casefold() == database.name.casefold() and each.application in {None, own}:
            return
    yield Database(
        name=database.name,
        engine="PostgreSQL",
        version=str(database.source.version),
        application=own,
        size_mib=-(-database.size // _MIB),
        places=(_place(tree, name, "database"),),
    )


def _files(known: Inventory, file: MigrationFile, tree: Tree, name: str) -> Iterator[Files]:
    there = {each.name.casefold() for each in known.files}
    for n, share in enumerate(file.files.shares):
        if share.name.casefold() not in there:
            yield Files(
                name=share.name,
                path=str(share.path),
                application=file.migration.name,
                size_mib=-(-share.size // _MIB),
                places=(_place(tree, name, "files", "shares", n),),
            )


def _place(tree: Tree, name: str, *path: str | int) -> Place:
    return Place(source=name, sheet="", row=tree.place(path).line)
