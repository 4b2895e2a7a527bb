"""What agents of AWS Application Discovery Service export: a file for each kind, all about servers with an agent.

Inbound and outbound connections have the same columns; which side the process belongs to is known from the agent's own
addresses, so it is decided when everything is merged. Source: awslabs/aws-discovery-utils, its schemas of the export.
"""

from collections.abc import Iterator

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Fragment, Layout, Row, RowPassedOver, RowRefused, column, needs
from crossfade.planning.inventory.records import Kind
from crossfade.planning.inventory.software import is_engine

FORMAT = "aws-application-discovery"
_AGENT = column("agent", "agentid", cells.text)
_REMEDY = "export the agent's data again"


def _ids(row: Row) -> dict[str, object]:
    if "agent" not in row.values:
        raise RowRefused("names no agent", _REMEDY, "agentId")
    return {"ids": (f"ads-agent:{row.values['agent']}",)}


def _server(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = _ids(row) | {
        name: value for name, value in row.values.items() if name not in {"agent", "free_mib", "free_disk"}
    }
    free, total = row.values.get("free_mib"), row.values.get("memory_mib")
    if free is not None and total:
        values["memory_average_percent"] = round(100 * (1 - min(free, total) / total), 2)
    free, total = row.values.get("free_disk"), row.values.get("disk_mib")
    if free is not None and total is not None:
        values["disk_used_mib"] = max(0, total - free)
    yield layout.fragment(row, values)


def _process(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = _ids(row)
    name = row.values.get("process")
    if name is None:
        raise RowRefused("names no process", _REMEDY, "name")
    yield layout.fragment(
        row,
        values
        | {"processes": (name,)}
        | ({"process_ids": ((row.values["pid"], name),)} if "pid" in row.values else {}),
    )
    if is_engine(name):
        yield layout.fragment(row, {"ids": values["ids"], "process": name}, Kind.DATABASE)


def _connection(layout: Layout, row: Row) -> Iterator[Fragment]:
    told = row.values
    if "source" not in told or "destination" not in told:
        raise RowRefused("lacks an end", _REMEDY, "destinationIp" if "source" in told else "sourceIp")
    if told["source"] == told["destination"]:
        raise RowPassedOver("connections within one server")
    values = {"source_address": told["source"], "destination_address": told["destination"]}
    values |= {name: told[name] for name in ("port", "protocol", "agent", "pid") if name in told}
    yield layout.fragment(row, values)


LAYOUTS = (
    Layout(
        format=FORMAT,
        table="osInfo",
        kind=Kind.SERVER,
        needs=needs("agentid", "osname", "hostname|cputype"),
        build=_server,
        columns=(
            _AGENT,
            column("host_names", "hostname", cells.names),
            column("operating_system", "osname", cells.text),
            column("os_version", "osversion", cells.text),
        ),
    ),
    Layout(
        format=FORMAT,
        table="networkInterface",
        kind=Kind.SERVER,
        needs=needs("agentid", "macaddress", "ipaddress"),
        build=_server,
        columns=(
            _AGENT,
            column("mac_addresses", "macaddress", cells.macs),
            column("addresses", "ipaddress", cells.addresses),
        ),
    ),
    Layout(
        format=FORMAT,
        table="systemPerformance",
        kind=Kind.SERVER,
        needs=needs("agentid", "totalcpuusagepct|totalraminmb|totaldisksizeingb"),
        build=_server,
        columns=(
            _AGENT,
            column("cpu_average_percent", "totalcpuusagepct", cells.percent),
            column("memory_mib", "totalraminmb", cells.mib),
            column("free_mib", "totalfreeraminmb freeraminmb", cells.mib),
            column("disk_mib", "totaldisksizeingb", cells.gib),
            column("free_disk", "totaldiskfreesizeingb", cells.gib),
            column("cpus", "totalnumlogicalprocessors", cells.count),
            column("cores", "totalnumcores", cells.count),
            column("disk_read_kib_s", "totaldiskbytesreadpersecinkbps", cells.rate),
            column("disk_write_kib_s", "totaldiskbyteswrittenpersecinkbps", cells.rate),
            column("disk_reads_s", "totaldiskreadopspersec", cells.rate),
            column("disk_writes_s", "totaldiskwriteopspersec", cells.rate),
            column("network_in_kib_s", "totalnetworkbytesreadpersecinkbps", cells.rate),
            column("network_out_kib_s", "totalnetworkbyteswrittenpersecinkbps", cells.rate),
        ),
    ),
    Layout(
        format=FORMAT,
        table="process",
        kind=Kind.SERVER,
        needs=needs("agentid", "agentassignedprocessid", "cmdline|path|issystem"),
        build=_process,
        columns=(_AGENT, column("pid", "agentassignedprocessid", cells.text), column("process", "name", cells.text)),
    ),
    Layout(
        format=FORMAT,
        table="connections",
        kind=Kind.DEPENDENCY,
        needs=needs("agentid", "sourceip", "destinationip", "destinationport"),
        build=_connection,
        columns=(
            _AGENT,
            column("source", "sourceip", cells.address),
            column("destination", "destinationip", cells.address),
            column("port", "destinationport", cells.port),
            column("protocol", "transportprotocol", lambda cell: cell.casefold()),
            column("pid", "agentassignedprocessid", cells.text),
        ),
    ),
)
