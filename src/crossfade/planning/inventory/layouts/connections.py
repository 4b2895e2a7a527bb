"""Lists of connections: `ss -tnap`, `netstat -tnap`, and flow logs of a VPC (default format or any with a header).

These name two ends and not which of them asked. The end that is listened on answers; where no row shows that, the end
whose port is no port that systems give to those who ask. Source: ss(8), netstat(8); AWS, 'Flow log records'; RFC 6335
and Linux ip_local_port_range for the ports.
"""

import ipaddress
from collections.abc import Iterator, Sequence

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Fragment, Layout, Row, RowPassedOver, RowRefused, column, needs
from crossfade.planning.inventory.records import Kind

FORMAT = "connections"
_SS = ("State", "Recv-Q", "Send-Q", "Local", "Peer", "Process")
_NETSTAT = ("Proto", "Recv-Q", "Send-Q", "Local", "Peer", "State and program")
_FLOW = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets"),
    *("bytes", "start", "end", "action", "log-status"),
)
_LISTENING = {"listen", "unconn", "listening"}
_STATES = {
    *_LISTENING,
    *("estab", "established", "time-wait", "close-wait", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2"),
    *("last-ack", "closing", "closed", "timewait", "closewait"),
}
_TRANSPORTS = {"tcp", "udp", "tcp6", "udp6"}
_PROTOCOLS = {"6": "tcp", "17": "udp", "132": "sctp"}
_REMEDY = "list connections with numbers, as `ss -tnap` does"


def headings_of(words: Sequence[str]) -> tuple[tuple[str, ...], bool] | None:
    """The headings of a list between spaces, and whether `words` is its header line; None: it is no such list."""
    first = words[0].casefold() if words else ""
    if first == "state" and "Recv-Q" in words:
        return _SS, True
    if first == "netid" and "Recv-Q" in words:
        return ("Netid", *_SS), True
    if first == "proto" and "Recv-Q" in words:
        return _NETSTAT, True
    if first == "version" and "srcaddr" in words:
        return tuple(words), True
    if first in _STATES and _are_queues(words[1:3]):
        return _SS, False
    if first in _TRANSPORTS and _are_queues(words[1:3]):
        return _NETSTAT, False
    if first in _TRANSPORTS and _are_queues(words[2:4]):
        return ("Netid", *_SS), False
    if len(words) == len(_FLOW) and words[0].isdigit() and words[-1] in {"OK", "NODATA", "SKIPDATA"}:
        return _FLOW, False
    return None


def _are_queues(words: Sequence[str]) -> bool:
    """Recv-Q and Send-Q tell a list of sockets from a sentence that begins alike."""
    return len(words) == 2 and all(word.isdigit() for word in words)


def _end(cell: str) -> tuple[str, str]:
    host, separator, port = cell.rpartition(":")
    if not separator:
        raise cells.Unreadable(f"{cells.shown(cell)} is no address with a port")
    return host, port


def _address(host: str) -> str:
    found = ipaddress.ip_address(cells.address(host))
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _socket(layout: Layout, row: Row) -> Iterator[Fragment]:
    local, peer = row.values.get("local"), row.values.get("peer")
    if local is None or peer is None:
        raise RowRefused("has no two ends", _REMEDY)
    both = str(row.values.get("state_and_program", ""))
    state = str(row.values.get("state", both.partition(" ")[0])).casefold()
    if state in _LISTENING or peer[1] in {"*", "0"}:
        raise RowPassedOver("sockets that are listened on", _listened(local))
    try:
        ends = {"local_address": _address(local[0]), "peer_address": _address(peer[0])}
        ports = {"local_port": cells.port(local[1]), "peer_port": cells.port(peer[1])}
    except cells.Unreadable as fault:
        raise RowRefused(str(fault), _REMEDY) from None
    if _is_within_one(ends["local_address"], ends["peer_address"]):
        raise RowPassedOver("connections within one server")
    values = ends | ports | {"protocol": row.values.get("protocol", "tcp").removesuffix("6")}
    if process := _process(str(row.values.get("process", both))):
        values["local_process"] = process
    yield layout.fragment(row, values)


def _listened(local: tuple[str, str]) -> tuple[str, int] | None:
    try:
        port = cells.port(local[1])
        return ("*" if local[0] in {"*", "0.0.0.0", "[::]", "::"} else _address(local[0])), port  # noqa: S104 - read, not bound
    except cells.Unreadable:
        return None


def _is_within_one(one: str, other: str) -> bool:
    return one == other or ipaddress.ip_address(one).is_loopback or ipaddress.ip_address(other).is_loopback


def _process(cell: str) -> str:
    """`users:(("java",pid=7,fd=5))` and `ESTABLISHED 7/java` both name java."""
    if '"' in cell:
        return cell.split('"')[1]
    return cell.split("/", 1)[1].strip() if "/" in cell else ""


def _flow(layout: Layout, row: Row) -> Iterator[Fragment]:
    told = row.values
    if told.get("action", "ACCEPT").upper() != "ACCEPT":
        raise RowPassedOver("connections that were rejected")
    if row.cells.get("logstatus", "OK") in {"NODATA", "SKIPDATA"}:
        raise RowPassedOver("intervals without records")
    if "source" not in told or "destination" not in told:
        raise RowRefused("lacks an end", "record srcaddr and dstaddr")
    protocol = _PROTOCOLS.get(row.cells.get("protocol", "6"))
    if protocol is None:
        raise RowPassedOver("protocols without ports")
    if "source_port" not in told or "destination_port" not in told:
        raise RowRefused("lacks a port", "record srcport and dstport")
    values = {
        "local_address": told["source"],
        "peer_address": told["destination"],
        "local_port": told["source_port"],
        "peer_port": told["destination_port"],
        "protocol": protocol,
    }
    yield layout.fragment(row, values | ({"volume_bytes": told["bytes"]} if "bytes" in told else {}))


LAYOUTS = (
    Layout(
        format=FORMAT,
        table="sockets",
        kind=Kind.DEPENDENCY,
        needs=needs("recvq", "sendq", "local", "peer"),
        build=_socket,
        columns=(
            column("protocol", "netid proto", cells.text),
            column("state", "state", cells.text),
            column("local", "local", _end),
            column("peer", "peer", _end),
            column("process", "process", cells.text),
            column("state_and_program", "stateandprogram", cells.text),
        ),
    ),
    Layout(
        format=FORMAT,
        table="flow log",
        kind=Kind.DEPENDENCY,
        needs=needs("srcaddr", "dstaddr", "dstport"),
        build=_flow,
        columns=(
            column("source", "srcaddr", cells.address),
            column("destination", "dstaddr", cells.address),
            column("source_port", "srcport", cells.port),
            column("destination_port", "dstport", cells.port),
            column("bytes", "bytes", cells.count),
            column("action", "action", cells.text),
        ),
    ),
)
