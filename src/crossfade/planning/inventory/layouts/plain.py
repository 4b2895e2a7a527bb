"""Our own plain CSV: one table for everything, `record` tells what a row is about. docs/inventory.md describes it.

Without a `record` column, rows with a source and a destination are dependencies and all others servers.
"""

import re
from collections.abc import Iterable, Iterator

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Column, Fragment, Layout, Row, RowRefused, Values, column, needs
from crossfade.planning.inventory.records import Disk, Kind, Partition

FORMAT = "plain"


def several(cell: str) -> tuple[str, ...]:
    """Texts between semicolons; two semicolons are one that belongs to the text."""
    parts = [""]
    for found in re.finditer(r";;|;|[^;]+", cell):
        if found[0] == ";":
            parts.append("")
        else:
            parts[-1] += ";" if found[0] == ";;" else found[0]
    return tuple(dict.fromkeys(told for part in parts if (told := cells.text(part))))


def joined(texts: Iterable[str]) -> str:
    """What `several` takes apart again."""
    return "; ".join(text.replace(";", ";;") for text in texts)


def _disks(cell: str) -> tuple[Disk, ...]:
    return tuple(Disk(name=name, capacity_mib=sizes[0]) for name, sizes in _sized(cell, 1))


def _partitions(cell: str) -> tuple[Partition, ...]:
    return tuple(
        Partition(path=name, capacity_mib=sizes[0], used_mib=sizes[1] if len(sizes) > 1 else None)
        for name, sizes in _sized(cell, 2)
    )


def _sized(cell: str, most: int) -> Iterator[tuple[str, list[int]]]:
    """`/=102400/71680; /var=2048`: names with sizes in MiB behind the last equals sign."""
    for part in several(cell):
        name, separator, told = part.rpartition("=")
        sizes = told.split("/")
        if not separator or len(sizes) > most:
            raise cells.Unreadable(f"{cells.shown(part)} is no name=size")
        yield name, [cells.mib(size.strip()) for size in sizes]


COLUMNS: tuple[Column, ...] = (
    column("record", "record", lambda cell: cell.casefold()),
    column("name", "name", cells.text),
    column("other_names", "othernames", several),
    column("host_names", "hostnames hostname fqdn", several),
    column("addresses", "addresses address ipaddress", cells.addresses),
    column("mac_addresses", "macaddresses macaddress", cells.macs),
    column("uuid", "uuid", cells.uuid),
    column("ids", "ids", several),
    column("power", "power", cells.power),
    column("is_template", "istemplate", cells.flag),
    column("operating_system", "operatingsystem os", cells.text),
    column("os_version", "osversion", cells.text),
    column("cpus", "cpus", cells.count),
    column("cores", "cores", cells.count),
    column("memory_mib", "memorymib", cells.mib),
    column("disk_mib", "diskmib", cells.mib),
    column("disk_used_mib", "diskusedmib", cells.mib),
    column("disks", "disks", _disks),
    column("partitions", "partitions", _partitions),
    column("firmware", "firmware", cells.text),
    column("networks", "networks", several),
    column("data_center", "data_center", cells.text),
    column("cluster", "cluster", cells.text),
    column("hypervisor", "hypervisor", cells.text),
    column("environment", "environment", cells.text),
    column("tier", "tier", cells.text),
    column("applications", "applications application", several),
    column("owner", "owner", cells.text),
    column("contributors", "contributors", several),
    column("wave", "wave", cells.text),
    column("strategy", "strategy", cells.text),
    column("tags", "tags", several),
    column("processes", "processes", several),
    *(
        column(name, name.replace("_", ""), cells.percent)
        for name in ("cpu_average_percent", "cpu_peak_percent", "memory_average_percent", "memory_peak_percent")
    ),
    *(
        column(name, name.replace("_", ""), cells.rate)
        for name in (
            *("disk_read_kib_s", "disk_write_kib_s", "disk_reads_s", "disk_writes_s"),
            *("network_in_kib_s", "network_out_kib_s"),
        )
    ),
    column("recommended_instance", "recommendedinstance", cells.text),
    column("description", "description", cells.text),
    column("business_service", "businessservice", cells.text),
    column("artefact", "artefact", cells.text),
    column("repository", "repository", cells.text),
    column("engine", "engine", cells.text),
    column("version", "version", cells.text),
    column("evidence", "evidence", cells.text),
    column("server", "server", cells.text),
    column("path", "path", cells.text),
    column("size_mib", "sizemib", cells.mib),
    column("source", "source", cells.text),
    column("source_address", "sourceaddress", cells.address),
    column("source_application", "sourceapplication", cells.text),
    column("destination", "destination", cells.text),
    column("destination_address", "destinationaddress", cells.address),
    column("destination_application", "destinationapplication", cells.text),
    column("port", "port", cells.port),
    column("protocol", "protocol", lambda cell: cell.casefold()),
    column("source_process", "sourceprocess", cells.text),
    column("destination_process", "destinationprocess", cells.text),
    column("connections", "connections", cells.count),
    column("volume_bytes", "volumebytes", cells.count),
    column("latency_ms", "latencyms", cells.rate),
    column("direction_known", "directionknown", cells.flag),
)


def _record(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = dict(row.values)
    told = values.pop("record", None) or (Kind.DEPENDENCY if "destination" in values else Kind.SERVER)
    try:
        kind = Kind(told)
    except ValueError:
        kinds = ", ".join(Kind)
        raise RowRefused(f"has the record {cells.shown(told)}", f"write one of {kinds}", "record") from None
    if kind is Kind.DEPENDENCY:
        values = _dependency(values)
    elif kind is Kind.SERVER:
        if not any(values.get(name) for name in ("name", "host_names", "addresses", "mac_addresses", "uuid", "ids")):
            raise RowRefused("names no server", "give a name or an address", "name")
    elif "name" not in values and kind in {Kind.APPLICATION, Kind.HOST, Kind.FILES}:
        raise RowRefused("has no name", "give a name", "name")
    if kind in {Kind.DATABASE, Kind.FILES} and (of := values.pop("applications", ())):
        values["application"] = of[0]
    yield layout.fragment(row, values, None if kind is Kind.SERVER else kind)


def _dependency(values: Values) -> Values:
    for end in ("source", "destination"):
        told = values.pop(end, None)
        if told is None and not {f"{end}_application", f"{end}_address"} & values.keys():
            raise RowRefused(f"names no {end}", "give a server's name or address, or an application", end)
        if told is not None:
            values[f"{end}_address" if _is_address(told) else f"{end}_name"] = told
    return values


def _is_address(told: str) -> bool:
    try:
        return cells.address(told) == told
    except cells.Unreadable:
        return False


LAYOUTS = (
    Layout(
        format=FORMAT,
        table="",
        kind=Kind.SERVER,
        needs=needs(
            "record|name|hostname|hostnames|address|addresses|source",
            "record|cpus|memorymib|diskmib|os|operatingsystem|addresses|address|environment|owner|destination",
        ),
        key=("name",),
        build=_record,
        columns=COLUMNS,
    ),
)
