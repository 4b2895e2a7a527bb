"""What AWS says of a VPN is read as what it is: somebody else's text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra.premises.vpn_configuration import VpnConfiguration, read_vpn_configuration
from crossfade.infra.premises.xml_tree import MAX_BYTES, MAX_DEPTH
from crossfade.model.file import Fault, MigrationFile
from tests.infra.premises.vpn import FIRST, KEYS, SECOND, configuration
from tests.infra.templates import least, reference

FILE = reference()


def read(content: bytes, file: MigrationFile = FILE) -> VpnConfiguration:
    found = read_vpn_configuration(content, file)
    assert isinstance(found, VpnConfiguration), found
    return found


def refused(content: bytes, file: MigrationFile = FILE) -> tuple[Fault, ...]:
    found = read_vpn_configuration(content, file)
    assert isinstance(found, tuple)
    assert all(fault.problem and fault.remedy for fault in found)
    return found


def test_tunnels_stand_in_the_files_order_whatever_aws_lists_first() -> None:
    for listed in ((SECOND, FIRST), (FIRST, SECOND)):
        first, second = read(configuration(*listed)).tunnels
        assert (str(first.outside), str(first.aws_inside), str(first.inside)) == (
            "198.51.100.9",
            "169.254.21.1",
            "169.254.21.2/30",
        )
        assert (first.key, second.key) == KEYS


def test_tunnels_stand_as_listed_when_the_file_leaves_their_networks_to_aws() -> None:
    first, _ = read(configuration(), least()).tunnels
    assert str(first.outside) == SECOND["outside"]


@pytest.mark.parametrize("hidden", ["", "****", "arn:aws:secretsmanager:us-east-1:123456789012:secret:s2svpn"])
def test_a_key_that_secrets_manager_keeps_is_none(hidden: str) -> None:
    assert read(configuration(FIRST | {"key": hidden}, SECOND)).tunnels[0].key is None


def test_keys_do_not_show_when_a_configuration_is_printed() -> None:
    assert not [key for key in KEYS if key in repr(read(configuration()))]


def test_all_faults_are_told_together_with_their_places() -> None:
    first = FIRST | {"asn": "65001", "outside": "here", "inside": "169.254.21.1"}
    second = SECOND | {"ours": "203.0.113.11", "key": "short", "aws_asn": "7224"}
    found = refused(configuration(first, second))
    assert {fault.path.partition("/")[2] for fault in found} == {
        "ipsec_tunnel/customer_gateway/bgp/asn",
        "ipsec_tunnel/vpn_gateway/tunnel_outside_address/ip_address",
        "ipsec_tunnel[2]/customer_gateway/tunnel_outside_address/ip_address",
        "ipsec_tunnel[2]/ike/pre_shared_key",
        "ipsec_tunnel[2]/vpn_gateway/bgp/asn",
    }
    lines = configuration(first, second).decode().splitlines()
    assert all(fault.path.rpartition("/")[2].split("[")[0] in lines[fault.line - 1] for fault in found)


def test_inside_addresses_must_be_a_pair() -> None:
    assert "no pair" in refused(configuration(FIRST | {"inside": "169.254.21.6"}, SECOND))[0].problem
    elsewhere = {"inside": "192.168.0.2", "aws_inside": "192.168.0.1"}
    assert "no pair" in refused(configuration(FIRST | elsewhere, SECOND))[0].problem


def test_another_vpns_configuration_is_refused() -> None:
    other = FIRST | {"inside": "169.254.30.2", "aws_inside": "169.254.30.1"}
    (fault,) = refused(configuration(other, SECOND))
    assert "169.254.21.0/30" in fault.problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (configuration(before='<!DOCTYPE v [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'), "document type"),
        (configuration(before='<!DOCTYPE v SYSTEM "file:///etc/passwd">'), "document type"),
        (configuration(FIRST | {"key": "&unknown;"}, SECOND), "no sound XML"),
        (configuration(within="vpn"), "no configuration"),
        (configuration(FIRST), "has 1 tunnels"),
        (b"<vpn_connection>" + b"<a>" * MAX_DEPTH, "nested deeper"),
        (b"<vpn_connection>" + b" " * MAX_BYTES, "larger than"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "encoding"),
        (b"", "no sound XML"),
    ],
)
def test_text_that_is_no_sound_configuration_is_refused(content: bytes, said: str) -> None:
    (fault,) = refused(content)
    assert said in fault.problem


@settings(deadline=None)
@given(st.integers(0, 2000), st.binary(max_size=8))
def test_no_text_does_harm_and_no_key_is_told(at: int, put: bytes) -> None:
    whole = configuration()
    found = read_vpn_configuration(whole[:at] + put + whole[at + len(put) :], FILE)
    if isinstance(found, tuple):
        assert found
        assert not [key for key in KEYS for fault in found if key in fault.problem + fault.remedy + fault.path]
