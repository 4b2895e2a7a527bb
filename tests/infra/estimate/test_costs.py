"""What is told to cost something is counted, priced with a source, and summed right."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.infra.estimate.costs import Cost, costs, monthly, notes
from crossfade.infra.estimate.prices import HOURS_A_MONTH, in_larges, of_instance, prices
from crossfade.infra.estimate.resources import Resources, read_resources
from crossfade.infra.estimate.servers import application_servers
from crossfade.infra.estimate.tables import cost_rows
from tests.infra.templates import Templates, least, reference


def resources(**kinds: list[dict[str, Any]]) -> Resources:
    """`rds_DBInstance=[…]` stands for resources of the type AWS::RDS::DBInstance, or as its service is written."""
    listed = [(kind.replace("_", "::"), p) for kind, every in kinds.items() for p in every]
    return Resources(
        {"one": {"Resources": {str(i): {"Type": f"AWS::{k}", "Properties": p} for i, (k, p) in enumerate(listed)}}}
    )


def named(found: tuple[Cost, ...], begins: str) -> Cost:
    (cost,) = [cost for cost in found if cost.component.startswith(begins)]
    return cost


def test_every_component_of_the_reference_case_is_counted_from_its_templates(built: Templates) -> None:
    found = costs(reference(), read_resources(built.folder))
    interface = [e for e in built.properties("AWS::EC2::VPCEndpoint") if e["VpcEndpointType"] == "Interface"]
    assert named(found, "interface endpoints").quantity == 3 * len(interface)
    assert named(found, "KMS keys").quantity == len(built.properties("AWS::KMS::Key"))
    assert named(found, "resolver").quantity == 6
    assert all(cost.amount is not None for cost in found)
    assert sum(cost.quantity for cost in found if "servers, m6i" in cost.component) == reference().servers.count


def test_a_standby_costs_as_much_again() -> None:
    alone = {"DBInstanceClass": "db.r6g.large", "Engine": "postgres", "AllocatedStorage": "100"}
    single = costs(least(), resources(RDS_DBInstance=[alone]))
    double = costs(least(), resources(RDS_DBInstance=[alone | {"MultiAZ": True}]))
    assert named(double, "database, db").amount == 2 * (named(single, "database, db").amount or 0)
    assert named(double, "database, storage").quantity == 200


def test_a_component_without_a_price_is_told_and_not_summed() -> None:
    strange = {"DBInstanceClass": "db.x2g.large", "Engine": "postgres", "AllocatedStorage": "100"}
    found = costs(least(), resources(RDS_DBInstance=[strange]))
    assert named(found, "database, db.x2g").amount is None
    assert found[-1] == named(found, "database, db.x2g")
    assert monthly(found) == pytest.approx(sum(cost.amount or 0 for cost in found if not cost.once))
    assert ("not pinned", "?") in {row[2:4] for row in cost_rows(found)}


def test_what_is_paid_once_is_not_in_the_month() -> None:
    files = {"server": "files.corp", "agent": "arn:aws:datasync:us-east-1:123456789012:agent/agent-0123456789abcdef0"}
    shares = [{"name": "docs", "path": "/srv/docs", "size": "1TiB"}]
    with_copy = costs(least(files={**files, "shares": shares}), resources())
    without = costs(least(files={"shares": shares}), resources())
    assert named(with_copy, "DataSync").amount == pytest.approx(1024 * 0.0125)
    assert monthly(with_copy) == monthly(without)


def test_an_estimate_says_that_it_is_one() -> None:
    dms = {"ReplicationInstanceClass": "dms.r6i.large", "AllocatedStorage": 50}
    cost = named(costs(least(), resources(DMS_ReplicationInstance=[dms])), "DMS, dms.r6i")
    assert cost.note.startswith("estimated")
    assert cost.price == of_instance("dms", "dms.r5.large")


def test_prices_of_another_region_are_not_taken_for_its_own() -> None:
    assert any("eu-west-1" in note for note in notes(least(environment__region="eu-west-1")))
    assert not any("eu-west-1" in note for note in notes(least()))


@pytest.mark.parametrize(("name", "price"), prices().items(), ids=list(prices()))
def test_a_price_has_a_source_and_a_month(name: str, price: Any) -> None:
    assert price.amount > 0
    assert price.source.startswith("https://aws.amazon.com/")
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", price.as_of)
    assert price.monthly == price.amount * (HOURS_A_MONTH if "hour" in price.unit else 1)


@settings(deadline=None)
@given(st.integers(1, 64))
def test_sizes_cost_in_proportion(times: int) -> None:
    size = "xlarge" if times == 1 else f"{times}xlarge"
    assert in_larges(size) == 2 * times
    big, large = of_instance("ec2", f"m6i.{size}"), of_instance("ec2", "m6i.large")
    assert big is not None
    assert large is not None
    assert big.amount == pytest.approx(2 * times * large.amount)
    assert of_instance("ec2", "m6i.metal") is None


def test_every_server_is_counted_once_with_tiers_and_without() -> None:
    tiers = [{"name": "web", "role": "web", "servers": 5}, {"name": "api", "role": "api", "servers": 7}]
    with_tiers = application_servers(least(servers__count=12, source__tiers=tiers))
    assert [(fleet.what, fleet.count) for fleet in with_tiers] == [("web servers", 5), ("api servers", 7)]
    assert [fleet.count for fleet in application_servers(least(servers__count=12))] == [12]
