"""What the router is told, read as the router reads it: what goes out where, what comes in with which preference."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra import tunnels
from crossfade.infra.premises.document import Document
from crossfade.infra.premises.folder import documents
from crossfade.infra.premises.frr import frr
from crossfade.infra.premises.ios_xe import ios_xe
from crossfade.infra.premises.router import Router, router
from crossfade.infra.premises.strongswan import strongswan
from crossfade.infra.premises.vpn_configuration import VpnConfiguration, read_vpn_configuration
from crossfade.model.file import MigrationFile
from tests.infra.premises.vpn import KEYS, configuration
from tests.infra.templates import Templates, least, reference

DIRECT = {"enabled": True, "connection": "dxcon-fg000001", "customer_asn": 65010}


@st.composite
def files(draw: st.DrawFn) -> MigrationFile:
    """The data center's network, its paths and numbers, in every combination."""
    address = draw(st.integers(int(IPv4Address("172.16.0.0")), int(IPv4Address("172.31.255.255"))))
    changes: dict[str, Any] = {
        "source__cidr": str(IPv4Network((address, draw(st.integers(12, 30))), strict=False)),
        "connectivity__vpn__customer_asn": draw(st.sampled_from([65000, 65010, 4_200_000_000])),
        "connectivity__vpn__tunnels": draw(
            st.sampled_from([[], [{"startup": "add"}], [{"inside_cidr": "169.254.9.0/30"}]])
        ),
    }
    if draw(st.booleans()):
        changes["connectivity__direct_connect"] = DIRECT
        changes["connectivity__primary"] = draw(st.sampled_from(["vpn", "direct_connect"]))
    return least(**changes)


def deployed(file: MigrationFile) -> VpnConfiguration:
    found = read_vpn_configuration(configuration(), file)
    assert isinstance(found, VpnConfiguration)
    return found


@dataclass
class Speaker:
    """A router's BGP, as the text makes it."""

    text: str
    lists: dict[str, list[IPv4Network]] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    networks: list[IPv4Network] = field(default_factory=list)
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inside: dict[str, str] = {}
        for line in map(str.strip, self.text.splitlines()):
            if found := re.fullmatch(r"ip prefix-list (\S+) seq \d+ permit (\S+)", line):
                self.lists.setdefault(found[1], []).append(IPv4Network(found[2]))
            elif found := re.fullmatch(r"route-map (\S+) permit 10", line):
                inside = self.maps.setdefault(found[1], {})
            elif found := re.fullmatch(r"(match ip address prefix-list|set local-preference) (\S+)", line):
                inside[found[1]] = found[2]
            elif found := re.fullmatch(r"network (\S+)( mask (\S+))?", line):
                self.networks.append(IPv4Network(f"{found[1]}/{found[3]}" if found[3] else found[1]))
            elif found := re.fullmatch(r"neighbor (\S+) (?:route-map (\S+) (in|out)|(description) (\S+))", line):
                self.sessions.setdefault(found[1], {})[found[3] or found[4]] = found[2] or found[5]

    def announced(self) -> dict[str, list[IPv4Network]]:
        """What each neighbour, by its description, is told."""
        told = {}
        for session in self.sessions.values():
            allowed = self.lists[self.maps[session["out"]]["match ip address prefix-list"]]
            told[session["description"]] = [network for network in self.networks if network in allowed]
        return told

    def preferences(self) -> dict[str, int]:
        return {s["description"]: int(self.maps[s["in"]]["set local-preference"]) for s in self.sessions.values()}

    def admitted(self) -> set[IPv4Network]:
        ways = (self.maps[session["in"]]["match ip address prefix-list"] for session in self.sessions.values())
        return {network for way in ways for network in self.lists[way]}


def speakers(made: Router) -> Iterator[Speaker]:
    yield Speaker(frr(made).text)
    yield Speaker(ios_xe(made)[0].text)


@settings(max_examples=60, deadline=None)  # each reads a whole file anew
@given(files(), st.integers(0, 2**32))
def test_each_address_comes_over_the_primary_and_over_the_backup_when_that_is_lost(
    file: MigrationFile, which: int
) -> None:
    """AWS takes the longest prefix that anybody announces to it."""
    network = file.source.cidr
    address = network[which % network.num_addresses]
    backup = file.connectivity.direct_connect.enabled
    for speaker in speakers(router(file)):
        told = speaker.announced()
        best = {name: max(n.prefixlen for n in networks if address in n) for name, networks in told.items()}
        assert all(list(collapse_addresses(networks)) == [network] for networks in told.values())
        assert set(told) == {"tunnel-1", "tunnel-2"} | ({"direct-connect"} if backup else set())
        assert best["tunnel-1"] == best["tunnel-2"]
        if backup:
            vpn_first = file.connectivity.primary.value == "vpn"
            assert (best["tunnel-1"] > best["direct-connect"]) is vpn_first
            preferred = speaker.preferences()
            assert (preferred["tunnel-1"] > preferred["direct-connect"]) is vpn_first, "answers go the same way"
        assert speaker.admitted() == {file.target.cidr}, "AWS can say nothing else"


@settings(max_examples=30, deadline=None)
@given(files())
def test_what_is_not_known_stands_as_a_blank_and_nothing_else_does(file: MigrationFile) -> None:
    made = documents(file, router(file))
    left = {blank for document in made for blank in document.blanks}
    assert {"<tunnel-1-aws-address>", "<tunnel-2-pre-shared-key>"} <= left
    assert not [d.path for d in made if "None" in d.text]
    assert ("<direct-connect-aws-address>" in left) is file.connectivity.direct_connect.enabled


def test_nothing_of_the_vpn_is_blank_when_aws_has_told_of_it() -> None:
    made = documents(reference(), router(reference(), deployed(reference()), keys=True))
    assert not [blank for document in made for blank in document.blanks if "tunnel" in blank]


@pytest.mark.parametrize("keys", [True, False])
def test_keys_stand_in_secret_files_alone_and_only_when_asked_for(keys: bool) -> None:
    made = documents(reference(), router(reference(), deployed(reference()), keys=keys))
    with_keys = {document.path for document in made for key in KEYS if key in document.text}
    assert with_keys == ({"linux/swanctl/conf.d/crossfade-keys.conf", "cisco-ios-xe-keys.txt"} if keys else set[str]())
    assert with_keys <= {document.path for document in made if document.secret}
    assert not [key for key in KEYS if key in repr(router(reference(), deployed(reference()), keys=True))]


def section(text: str) -> dict[str, Any]:
    """swanctl's format: settings, and sections in braces."""
    stack: list[dict[str, Any]] = [{}]
    for line in (line.strip() for line in text.splitlines()):
        if line.endswith("{"):
            stack.append(stack[-1].setdefault(line.removesuffix(" {"), {}))
        elif line == "}":
            stack.pop()
        elif line and not line.startswith("#"):
            name, _, value = line.partition(" = ")
            stack[-1][name] = value
    (root,) = stack
    return root


def by_name(made: tuple[Document, ...], name: str) -> str:
    (found,) = [document.text for document in made if document.path.endswith(name)]
    return found


def test_the_router_offers_what_the_templates_let_aws_accept(built: Templates) -> None:
    made = strongswan(router(reference(), deployed(reference())))
    connections = section(by_name(made, "conf.d/crossfade.conf"))["connections"]
    options = built.one("AWS::EC2::VPNConnection")["VpnTunnelOptionsSpecifications"]
    assert len(connections) == len(options) == 2
    for (name, connection), option in zip(connections.items(), options, strict=True):
        for phase, offered in (
            ("Phase1", connection["proposals"]),
            ("Phase2", connection["children"][name]["esp_proposals"]),
        ):
            ciphers = {c["Value"].lower().replace("-", "") for c in option[f"{phase}EncryptionAlgorithms"]}
            groups = {{19: "ecp256", 20: "ecp384", 21: "ecp521"}[g["Value"]] for g in option[f"{phase}DHGroupNumbers"]}
            hashes = {c["Value"].lower().replace("sha2-", "sha") for c in option[f"{phase}IntegrityAlgorithms"]}
            for proposal in offered.split(", "):
                cipher, *hash_, group = proposal.split("-")
                assert cipher in ciphers
                assert group in groups
                assert {h.removeprefix("prf") for h in hash_} <= hashes
        assert int(connection["rekey_time"][:-1]) * 1.1 <= option["Phase1LifetimeSeconds"]
        assert int(connection["children"][name]["rekey_time"][:-1]) * 1.1 <= option["Phase2LifetimeSeconds"]
        assert int(connection["dpd_delay"][:-1]) * 3 == option["DPDTimeoutSeconds"]
        assert connection["version"] == "2"
        inside = IPv4Network(option["TunnelInsideCidr"])
        assert f"ip address replace {inside[2]}/30 dev xfrm-aws-{connection['if_id_in']}\n" in by_name(
            made, "interfaces.sh"
        )


def test_one_end_brings_a_tunnel_up() -> None:
    file = least(connectivity__vpn__tunnels=[{"startup": "add"}, {"startup": "start"}])
    made = router(file)
    connections = section(by_name(strongswan(made), "conf.d/crossfade.conf"))["connections"]
    assert [c["children"][name]["start_action"] for name, c in connections.items()] == ["start", "none"]
    assert ios_xe(made)[0].text.count(" responder-only\n") == 1


def test_no_segment_is_longer_than_the_tunnels_carry() -> None:
    made = router(reference())
    assert tunnels.MTU_BYTES == tunnels.MSS_BYTES + 40
    assert f"set {tunnels.MSS_BYTES}" in by_name(strongswan(made), ".nft")
    cisco = ios_xe(made)[0].text
    assert cisco.count(f" ip tcp adjust-mss {tunnels.MSS_BYTES}\n") == 2
    assert cisco.count(f" ip mtu {tunnels.MTU_BYTES}\n") == 2


def test_direct_connect_speaks_with_its_own_number_when_the_file_gives_it_one() -> None:
    made = router(least(connectivity__direct_connect=DIRECT))
    for text in (frr(made).text, ios_xe(made)[0].text):
        assert text.count("local-as 65010 no-prepend replace-as") == 1
