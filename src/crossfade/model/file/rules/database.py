"""Rules of the database."""

from collections.abc import Iterator

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.quantities import size_text
from crossfade.model.file.rules.finding import Finding, unique


def versions(file: MigrationFile) -> Iterator[Finding]:
    """A dump of a newer version does not restore into an older one, and DDL of neither goes back."""
    source, target = file.database.source.version, file.database.target.version
    if target < source:
        yield Finding(
            places=(("database", "target", "version"), ("database", "source", "version")),
            problem=f"the target's version {target} is older than the source's {source}",
            remedy=f"set database.target.version to {source} or newer",
        )


def sizes(file: MigrationFile) -> Iterator[Finding]:
    """The target has room, and the guard warns before it acts."""
    database, wal = file.database, file.database.replication.wal
    storage = database.target.storage
    if storage is not None and storage < database.size:
        yield Finding(
            places=(("database", "target", "storage"), ("database", "size")),
            problem=f"storage {size_text(storage)} is less than the database's {size_text(database.size)}",
            remedy="allocate more than the database's size as database.target.storage",
        )
    guard, guarded = database.replication.source_guard, ("database", "replication", "source_guard")
    if guard.connections_warn_percent >= guard.connections_give_way_percent:
        yield Finding(
            places=((*guarded, "connections_warn_percent"), (*guarded, "connections_give_way_percent")),
            problem="connections_warn_percent is not below connections_give_way_percent",
            remedy="set connections_warn_percent lower, so that people are told in time",
        )
    if guard.free_disk_warn <= guard.free_disk_give_way:
        yield Finding(
            places=((*guarded, "free_disk_warn"), (*guarded, "free_disk_give_way")),
            problem=f"free_disk_warn {size_text(guard.free_disk_warn)} is not above free_disk_give_way",
            remedy="set free_disk_warn higher, so that people are told in time",
        )
    if wal.warn_at >= wal.drop_at:
        path = ("database", "replication", "wal")
        yield Finding(
            places=((*path, "warn_at"), (*path, "drop_at")),
            problem=f"warn_at {size_text(wal.warn_at)} is not below drop_at {size_text(wal.drop_at)}",
            remedy="set warn_at lower, so that people are told in time",
        )


def tables(file: MigrationFile) -> Iterator[Finding]:
    """Tables and roles are named once, belong to the moved schemas, and are not both moved and left."""
    database, path = file.database, ("database",)
    for name in ("application_roles", "schemas", "tables", "exclude_tables"):
        yield from unique((*path, name), "", getattr(database, name))
    schemas = (*path, "schemas")
    for name, listed in (("tables", database.tables), ("exclude_tables", database.exclude_tables)):
        for i, table in enumerate(listed):
            schema = table.split(".")[0] if "." in table else None
            if schema and schema not in database.schemas:
                yield Finding(
                    places=((*path, name, i), schemas),
                    problem=f"schema {schema} is not moved",
                    remedy=f"add {schema} to database.schemas",
                )
    for i, table in enumerate(database.exclude_tables):
        if table in database.tables:
            yield Finding(
                places=((*path, "exclude_tables", i), (*path, "tables")),
                problem=f"{table} is also listed under tables",
                remedy="list it once",
            )


ALL = (versions, sizes, tables)
