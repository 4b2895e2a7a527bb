"""Azure Migrate: the form for its import, and its export of dependencies.

Source: Microsoft's documentation, 'Assess servers using imported data' and 'Set up dependency analysis'.
"""

from collections.abc import Iterator

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Fragment, Layout, Row, RowPassedOver, RowRefused, column, needs
from crossfade.planning.inventory.records import Disk, Kind
from crossfade.planning.inventory.software import is_engine

FORMAT = "azure-migrate"
MOST_DISKS = 64


def _server(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = {name: value for name, value in row.values.items() if not name.startswith("disk_size_")}
    if "name" not in values:
        raise RowRefused("names no server", "give the server's name", "*Server name")
    numbers = sorted(int(name.removeprefix("disk_size_")) for name in row.values if name.startswith("disk_size_"))
    disks = tuple(Disk(name=f"disk {n}", capacity_mib=row.values[f"disk_size_{n}"]) for n in numbers)
    if disks:
        values |= {"disks": disks, "disk_mib": sum(disk.capacity_mib for disk in disks)}
    for name in ("network_in_mb", "network_out_mb"):
        if name in values:
            values[name.replace("_mb", "_kib_s")] = values.pop(name) * 1024
    yield layout.fragment(row, values)


def _dependency(layout: Layout, row: Row) -> Iterator[Fragment]:
    told = row.values
    if not ({"source_name", "source_address"} & told.keys()):
        raise RowRefused("names no source", "give the source server's name or address", "Source server name")
    if not ({"destination_name", "destination_address"} & told.keys()):
        raise RowRefused("names no destination", "give the destination's name or IP", "Destination server name")
    if told.get("source_name") is not None and told.get("source_name") == told.get("destination_name"):
        raise RowPassedOver("connections within one server")
    yield layout.fragment(row, dict(told))
    process = told.get("destination_process")
    if process and is_engine(process):
        ends = {"server": "destination_name", "address": "destination_address"}
        yield layout.fragment(
            row, {to: told[of] for to, of in ends.items() if of in told} | {"process": process}, Kind.DATABASE
        )


LAYOUTS = (
    Layout(
        format=FORMAT,
        table="import",
        kind=Kind.SERVER,
        needs=needs("servername", "cores", "memoryinmb", "osname"),
        key=("name",),
        build=_server,
        columns=(
            column("name", "servername", cells.text),
            column("addresses", "ipaddresses ipaddress", cells.addresses),
            column("cpus", "cores", cells.count),
            column("memory_mib", "memoryinmb", cells.mib),
            column("operating_system", "osname", cells.text),
            column("os_version", "osversion", cells.text),
            column("firmware", "boottype", cells.text),
            column("hypervisor", "hypervisor", cells.text),
            column("cpu_average_percent", "cpuutilizationpercentage", cells.percent),
            column("memory_average_percent", "memoryutilizationpercentage", cells.percent),
            column("network_in_mb", "networkinthroughput networkinthroughputmbpersecond", cells.rate),
            column("network_out_mb", "networkoutthroughput networkoutthroughputmbpersecond", cells.rate),
            column("disk_used_mib", "storageinuseingb", cells.gib),
            *(column(f"disk_size_{n}", f"disk{n}sizeingb", cells.gib) for n in range(1, MOST_DISKS + 1)),
        ),
    ),
    Layout(
        format=FORMAT,
        table="dependencies",
        kind=Kind.DEPENDENCY,
        needs=needs("sourceservername|sourceip", "destinationservername|destinationip", "destinationport"),
        build=_dependency,
        columns=(
            column("source_name", "sourceservername", cells.text),
            column("source_address", "sourceip", cells.address),
            column("source_application", "sourceapplication", cells.text),
            column("source_process", "sourceprocess", cells.text),
            column("destination_name", "destinationservername", cells.text),
            column("destination_address", "destinationip", cells.address),
            column("destination_application", "destinationapplication", cells.text),
            column("destination_process", "destinationprocess", cells.text),
            column("port", "destinationport", cells.port),
        ),
    ),
)
