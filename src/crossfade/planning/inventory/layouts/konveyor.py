"""Konveyor: the import of applications. Record type 1 is an application, 2 a dependency between two.

Source: konveyor/tackle2-ui, its template; southbound: the application needs the other one, northbound: is needed by it.
Nothing else says it, so a row without a direction is refused rather than guessed.
"""

from collections.abc import Iterator

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Fragment, Layout, Row, RowRefused, column, needs
from crossfade.planning.inventory.records import Kind

FORMAT = "konveyor"
MOST_TAGS = 40
_BINARY = ("group", "artefact_name", "version", "packaging")


def _record(layout: Layout, row: Row) -> Iterator[Fragment]:
    kind = row.values.get("record_type")
    if kind == "1":
        yield from _application(layout, row)
    elif kind == "2":
        yield _dependency(layout, row)
    else:
        told = f"has the record type {cells.shown(kind)}" if kind else "has no record type"
        raise RowRefused(told, "write 1 for an application, 2 for a dependency", "Record Type 1")


def _application(layout: Layout, row: Row) -> Iterator[Fragment]:
    told = row.values
    if "name" not in told:
        raise RowRefused("names no application", "give the application's name", "Application Name")
    tags = [(told.get(f"category_{n}", ""), told[f"tag_{n}"]) for n in range(1, MOST_TAGS + 1) if f"tag_{n}" in told]
    names = ("name", "description", "business_service", "owner", "contributors", "repository")
    values = {name: told[name] for name in names if name in told}
    if tags:
        values["tags"] = tuple(f"{category}={tag}" if category else tag for category, tag in tags)
    if artefact := ":".join(told[part] for part in _BINARY if part in told):
        values["artefact"] = artefact
    yield layout.fragment(row, values)
    for category, tag in tags:
        if category.casefold() in {"database", "databases"}:
            yield layout.fragment(row, {"application": told["name"], "engine": tag, "evidence": "tag"}, Kind.DATABASE)


def _dependency(layout: Layout, row: Row) -> Fragment:
    told = row.values
    if "name" not in told or "dependency" not in told:
        missing = "Dependency" if "name" in told else "Application Name"
        raise RowRefused("lacks an end", "name both applications", missing)
    direction = told.get("direction", "").casefold()
    if direction not in {"southbound", "northbound"}:
        raise RowRefused(
            f"has the direction {cells.shown(direction)}" if direction else "has no direction",
            "write southbound if the application needs the other one, northbound if it is needed by it",
            "Dependency Direction",
        )
    ends = (told["name"], told["dependency"])
    source, destination = ends if direction == "southbound" else ends[::-1]
    values = {"source_application": source, "destination_application": destination}
    return layout.fragment(row, values, Kind.DEPENDENCY)


LAYOUTS = (
    Layout(
        format=FORMAT,
        table="applications",
        kind=Kind.APPLICATION,
        needs=needs("recordtype1|recordtype", "applicationname"),
        build=_record,
        columns=(
            column("record_type", "recordtype1 recordtype", cells.text),
            column("name", "applicationname", cells.text),
            column("description", "description", cells.text),
            column("business_service", "businessservice", cells.text),
            column("dependency", "dependency", cells.text),
            column("direction", "dependencydirection", cells.text),
            column("group", "binarygroup", cells.text),
            column("artefact_name", "binaryartifact", cells.text),
            column("version", "binaryversion", cells.text),
            column("packaging", "binarypackaging", cells.text),
            column("repository", "repositoryurl", cells.text),
            column("owner", "owner", cells.text),
            column("contributors", "contributors", cells.names),
            *(column(f"category_{n}", f"tagcategory{n} tagtype{n}", cells.text) for n in range(1, MOST_TAGS + 1)),
            *(column(f"tag_{n}", f"tag{n}", cells.text) for n in range(1, MOST_TAGS + 1)),
        ),
    ),
)
