"""What firewalls of the data center must let through: the same table that the security groups are made from. Pure."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from crossfade.infra.premises.document import Document
from crossfade.infra.premises.router import Router
from crossfade.infra.reach import Flow, Party, flows
from crossfade.model.file import MigrationFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Connections that must be let through; answers come back on the same."""

    opens: str
    takes: str
    ports: tuple[str, ...]
    """`tcp 443`, `udp 500`, `tcp 1024-1064`, or a protocol without ports: `esp`."""
    why: str
    from_network: str
    to_network: str


def openings(file: MigrationFile, router: Router) -> tuple[Opening, ...]:
    """One for each pair and reason; ports with the same ones together."""
    ours, theirs = str(file.source.cidr), str(file.target.cidr)
    found: dict[tuple[Party, Party, str], list[str]] = {}
    for flow in flows(file):
        if Party.DATA_CENTER in {flow.opens, flow.takes}:
            found.setdefault((flow.opens, flow.takes, flow.why), []).append(_port(flow))
    inner = tuple(
        Opening(
            opens=opens.replace("-", " "),
            takes=takes.replace("-", " "),
            ports=tuple(ports),
            why=why,
            from_network=ours if opens is Party.DATA_CENTER else theirs,
            to_network=ours if takes is Party.DATA_CENTER else theirs,
        )
        for (opens, takes, why), ports in found.items()
    )
    return (*_tunnels(router), *sorted(inner, key=lambda o: (o.opens != Party.DATA_CENTER, o.opens)))


def _tunnels(router: Router) -> Iterator[Opening]:
    """The tunnels themselves, between addresses of the internet; either end may begin."""
    aws = " ".join(tunnel.aws_address for tunnel in router.tunnels)
    for opens, takes, source, target in (
        ("router", "AWS", router.address, aws),
        ("AWS", "router", aws, router.address),
    ):
        yield Opening(
            opens=opens,
            takes=takes,
            ports=("udp 500", "udp 4500", "esp"),
            why="the tunnels of the VPN: keys, and packets with and without address translation",
            from_network=source,
            to_network=target,
        )


def _port(flow: Flow) -> str:
    last = f"-{flow.last_port}" if flow.last_port > flow.first_port else ""
    return f"{flow.protocol} {flow.first_port}{last}"


def firewall(file: MigrationFile, router: Router) -> Document:
    """A table that spreadsheets and scripts read; a row for each port."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("from", "from_network", "to", "to_network", "protocol", "ports", "why"))
    for opening in openings(file, router):
        for port in opening.ports:
            protocol, _, number = port.partition(" ")
            names = (opening.opens, opening.from_network, opening.takes, opening.to_network)
            rows.writerow((*names, protocol, number, opening.why))
    return Document(path="firewall.csv", text=text.getvalue())


def as_markdown(found: tuple[Opening, ...]) -> str:
    """The same, as the documents show it."""
    rows = "".join(f"| {o.opens} | {o.takes} | {', '.join(o.ports)} | {o.why} |\n" for o in found)
    return f"| from | to | port | why |\n| --- | --- | --- | --- |\n{rows}"
