"""What docs/deploy.md says of the reference case is so."""

import re

from crossfade.infra.reach import Party, flows
from crossfade.infra.routing import announcements
from tests.docs.documents import ROOT
from tests.infra.templates import Templates, reference

TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_port_of_the_data_center_is_listed() -> None:
    listed: dict[tuple[str, ...], str] = {}
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.match(r"(tcp|udp) \d", cells[2]):
            listed |= {(cells[0], cells[1], port): cells[3] for port in cells[2].split(", ")}
    needed: dict[tuple[str, ...], str] = {}
    for flow in flows(reference()):
        if Party.DATA_CENTER in {flow.opens, flow.takes}:
            ports = f"{flow.first_port}-{flow.last_port}" if flow.last_port > flow.first_port else f"{flow.first_port}"
            ends = (flow.opens.replace("-", " "), flow.takes.replace("-", " "))
            needed[*ends, f"{flow.protocol} {ports}"] = flow.why
    assert listed == needed


def test_the_announcements_are_those_of_the_reference_case() -> None:
    for announcement in announcements(reference()):
        row = " and ".join(map(str, announcement.prefixes))
        assert f"| {row} | {announcement.local_preference} |" in TEXT


def test_what_costs_is_counted(built: Templates) -> None:
    endpoints = [e for e in built.properties("AWS::EC2::VPCEndpoint") if e["VpcEndpointType"] == "Interface"]
    assert f"| {len(endpoints)} endpoints in 3 zones |" in TEXT
    assert f"| {len(built.properties('AWS::KMS::Key'))} keys |" in TEXT
    addresses = sum(len(e["IpAddresses"]) for e in built.properties("AWS::Route53Resolver::ResolverEndpoint"))
    assert f"| {addresses} addresses |" in TEXT
