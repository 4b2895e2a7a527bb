"""AWS Application Discovery Service: the form for its import, and its export of EC2 recommendations.

Source: user guide, 'Import your on-premises data' (fields of the template); Migration Hub, 'EC2 instance
recommendations' (columns of the export). Server.X and X are the same field in one and the other.
"""

from collections.abc import Callable, Iterator
from typing import Any

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Column, Fragment, Layout, Row, RowRefused, column, needs
from crossfade.planning.inventory.records import Kind

FORMAT = "aws-application-discovery"
_IDS = {"server_id": "ads-server", "external_id": "external", "moref": "moref"}
_REMEDY = "fill in one of ExternalId, IPAddress, MACAddress, HostName, or VMware.MoRefId with VMware.VCenterId"


def _both(told: str, names: str, read: Callable[[str], Any]) -> Column:
    known = names.split()
    return column(told, " ".join([*known, *(f"server{name}" for name in known)]), read)


def _server(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = dict(row.values)
    center = values.pop("center", None)
    told = [(kind, values.pop(name)) for name, kind in _IDS.items() if name in values]
    ids = tuple(f"{kind}:{f'{center}/' if kind == 'moref' else ''}{value}" for kind, value in told)
    if any(kind == "moref" for kind, _ in told) and center is None:
        ids = tuple(known for known in ids if not known.startswith("moref:"))
    if ids:
        values["ids"] = ids
    used = values.pop("memory_used", None)
    if used is not None and values.get("memory_mib") and "memory_average_percent" not in values:
        values["memory_average_percent"] = min(100.0, round(100 * used / values["memory_mib"], 2))
    peak = values.pop("memory_used_peak", None)
    if peak is not None and values.get("memory_mib") and "memory_peak_percent" not in values:
        values["memory_peak_percent"] = min(100.0, round(100 * peak / values["memory_mib"], 2))
    if not any(values.get(name) for name in ("ids", "addresses", "mac_addresses", "host_names", "uuid")):
        raise RowRefused("cannot be told from other servers", _REMEDY)
    yield layout.fragment(row, values)


_COMMON = (
    column("server_id", "serverid", cells.text),
    _both("external_id", "externalid", cells.text),
    _both("uuid", "smbiosid", cells.uuid),
    _both("moref", "vmwaremorefid", cells.text),
    _both("center", "vmwarevcenterid", cells.text),
    _both("addresses", "ipaddress", cells.addresses),
    _both("mac_addresses", "macaddress", cells.macs),
    _both("host_names", "hostname", cells.names),
    _both("name", "vmwarevmname", cells.text),
    _both("operating_system", "osname", cells.text),
    _both("os_version", "osversion", cells.text),
    _both("cores", "cpunumberofcores", cells.count),
    _both("cpus", "cpunumberoflogicalcores", cells.count),
    _both("memory_mib", "ramtotalsizeinmb", cells.mib),
    _both("memory_used", "ramusedsizeinmbavg", cells.mib),
    _both("memory_used_peak", "ramusedsizeinmbmax", cells.mib),
    _both("memory_average_percent", "ramusagepctavg", cells.percent),
    _both("memory_peak_percent", "ramusagepctmax", cells.percent),
    _both("cpu_average_percent", "cpuusagepctavg", cells.percent),
    _both("cpu_peak_percent", "cpuusagepctmax", cells.percent),
    _both("disk_read_kib_s", "diskreadspersecondinkbavg", cells.rate),
    _both("disk_write_kib_s", "diskwritespersecondinkbavg", cells.rate),
    _both("disk_reads_s", "diskreadopspersecondavg diskreadsopspersecondavg", cells.rate),
    _both("disk_writes_s", "diskwriteopspersecondavg diskwritesopspersecondavg", cells.rate),
    _both("network_in_kib_s", "networkreadspersecondinkbavg", cells.rate),
    _both("network_out_kib_s", "networkwritespersecondinkbavg", cells.rate),
    column("applications", "applications", cells.list_of),
    column("wave", "applicationwave", cells.text),
    column("tags", "tags", cells.list_of),
)
_IMPORT = Layout(
    format=FORMAT,
    table="import",
    kind=Kind.SERVER,
    needs=needs(
        "externalid|ipaddress|macaddress|hostname|vmwaremorefid",
        "cpunumberofprocessors|cpunumberofcores|cpunumberoflogicalcores|ramtotalsizeinmb|osname|smbiosid",
        "vmwaremorefid|vmwarevcenterid|vmwarevmname|ramtotalsizeinmb|osname|applicationwave",
    ),
    key=("ids",),
    build=_server,
    columns=_COMMON,
)
_RECOMMENDATIONS = Layout(
    format=FORMAT,
    table="recommendations",
    kind=Kind.SERVER,
    needs=needs("serverid|serverhostname|serverexternalid", "recommendationec2instancemodel|recommendationec2remarks"),
    key=("ids",),
    build=_server,
    columns=(*_COMMON, column("recommended_instance", "recommendationec2instancemodel", cells.text)),
)
LAYOUTS = (_IMPORT, _RECOMMENDATIONS)
