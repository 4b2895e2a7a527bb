"""What is decided of the AWS side without any CDK."""

from ipaddress import collapse_addresses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra.demands import demands, notes
from crossfade.infra.endpoints import interface_endpoints
from crossfade.infra.names import retention_days, tags_of
from crossfade.infra.reach import OUTSIDE, Party, flows, parties
from crossfade.infra.routing import announcements
from crossfade.model.file.connectivity import Path
from tests.infra.templates import least, reference
from tests.model.file.files import sound, with_values


def test_the_vpn_carries_the_traffic_when_it_is_primary() -> None:
    primary, backup = announcements(reference())
    assert (primary.path, backup.path) == (Path.VPN, Path.DIRECT_CONNECT)
    assert [str(network) for network in primary.prefixes] == ["192.168.0.0/17", "192.168.128.0/17"]
    assert [str(network) for network in backup.prefixes] == ["192.168.0.0/16"]
    assert primary.local_preference > backup.local_preference


def test_direct_connect_carries_the_traffic_when_it_is_primary() -> None:
    file = least(
        connectivity__primary="direct_connect",
        connectivity__direct_connect={"enabled": True, "connection": "dxcon-fg000001"},
    )
    primary, backup = announcements(file)
    assert (primary.path, backup.path) == (Path.DIRECT_CONNECT, Path.VPN)
    assert primary.prefixes[0].prefixlen == backup.prefixes[0].prefixlen + 1


@settings(deadline=None)  # a loaded machine is no fault
@given(st.integers(8, 31), st.booleans())
def test_both_paths_reach_the_whole_data_center(length: int, direct: bool) -> None:
    changes = {"connectivity__direct_connect": {"enabled": True, "connection": "dxcon-fg000001"}} if direct else {}
    file = least(source__cidr=f"172.16.0.0/{max(length, 12)}", **changes)
    for announcement in announcements(file):
        assert list(collapse_addresses(announcement.prefixes)) == [file.source.cidr]


def test_nobody_outside_has_a_group_and_everybody_inside_has() -> None:
    inside = {party for flow in flows(reference()) for party in (flow.opens, flow.takes)} - OUTSIDE
    assert set(parties(reference())) == inside


def test_only_known_parties_reach_the_database() -> None:
    reaching = {flow.opens for flow in flows(reference()) if flow.takes is Party.DATABASE}
    assert reaching == {Party.SERVERS, Party.DATA_CENTER, Party.REPLICATION, Party.ROTATION}
    assert {flow.first_port for flow in flows(reference()) if flow.takes is Party.DATABASE} == {5432}


def test_dms_takes_no_part_when_the_file_does_not_describe_it() -> None:
    assert Party.REPLICATION not in parties(least())


def test_endpoints_follow_the_file() -> None:
    assert {"mgn", "events", "datasync"} <= set(interface_endpoints(reference()))
    without = least(servers__engine="cloudendure", events__eventbridge=False)
    assert not {"mgn", "events", "datasync", "kinesis-streams"} & set(interface_endpoints(without))


@settings(deadline=None)  # a loaded machine is no fault
@given(st.integers(1, 3653))
def test_logs_are_kept_at_least_as_long_as_asked(asked: int) -> None:
    assert retention_days(asked) >= asked


def test_the_files_tags_do_not_replace_ours() -> None:
    file = least(environment__tags={"owner": "somebody else", "tier": "gold"})
    assert tags_of(file)["owner"] == "platform"
    assert tags_of(file)["tier"] == "gold"


def test_everything_that_is_missing_is_told_at_once() -> None:
    file = sound(
        with_values(
            connectivity__direct_connect={"enabled": True},
            database__replication__engine="dms",
            connectivity__vpn__tunnels=[{"pre_shared_key": "env:KEY"}],
            target__load_balancer__internal=False,
        )
    )
    assert {".".join(map(str, demand.path)) for demand in demands(file)} == {
        "source.servers",
        "target.load_balancer.internal",
        "connectivity.vpn.customer_gateway",
        "connectivity.direct_connect.connection",
        "connectivity.vpn.tunnels.0.pre_shared_key",
        "database.source.host",
        "database.source.credentials",
    }
    assert all(demand.problem and demand.remedy for demand in demands(file))


def test_nothing_is_missing_in_the_reference_case() -> None:
    assert demands(reference()) == ()
    assert [note.partition(":")[0] for note in notes(reference())] == ["database.source.tls", "database.target.tls"]


@pytest.mark.parametrize("kind", ["env:NAME", "file:/path", "ssm:/name"])
def test_a_secret_is_refused_when_aws_cannot_read_its_store(kind: str) -> None:
    file = least(connectivity__vpn__tunnels=[{"pre_shared_key": kind}])
    assert [demand.path[-1] for demand in demands(file)] == ["pre_shared_key"]
