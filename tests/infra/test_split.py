import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.errors import TypeNotThere
from crossfade.infra.reduction import reduced
from crossfade.infra.split import SplitOff, split
from tests.infra.templates import Templates, text


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def referred(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from referred(one)
    elif isinstance(value, dict):
        for function, argument in value.items():
            if function == "Ref" and not str(argument).startswith("AWS::"):
                yield "here", argument
            elif function == "Fn::GetAtt":
                yield "here", argument[0] if isinstance(argument, list) else argument.split(".")[0]
            elif function == "Fn::ImportValue" and isinstance(argument, str):
                yield "elsewhere", argument
            yield from referred(argument)


def dangling(templates: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    exported = {o["Export"]["Name"] for t in templates.values() for o in t.get("Outputs", {}).values() if "Export" in o}
    found = []
    for stack, template in templates.items():
        here = {*template["Resources"], *template.get("Parameters", {})}
        for where, name in referred([template["Resources"], template.get("Outputs", {})]):
            if name not in (here if where == "here" else exported):
                found.append((stack, name))
        for one in template["Resources"].values():
            waited_for = one.get("DependsOn", [])
            listed = [waited_for] if isinstance(waited_for, str) else waited_for
            found += [(stack, name) for name in listed if name not in here]
    return found


@pytest.fixture(scope="module")
def whole(built: Templates) -> dict[str, dict[str, Any]]:
    return {stack: built.template(stack) for stack in built.stacks()}


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_left_refers_to_nothing_that_went_whatever_types_go(
    whole: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    kinds = sorted({r["Type"] for template in whole.values() for r in template["Resources"].values()})
    types = tuple(data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=12, unique=True)))
    left, gone = split(whole, types)
    assert dangling(left) == []
    assert all(one.because_of is None for one in gone if one.type in types)
    before = {(stack, i) for stack, template in whole.items() for i in template["Resources"]}
    after = {(stack, i) for stack, template in left.items() for i in template["Resources"]}
    assert before - after == {(one.stack, one.resource) for one in gone}


def test_what_needs_a_resource_goes_with_it_also_from_another_stack() -> None:
    templates = {
        "link": {
            "Resources": {"Vpn": resource("AWS::EC2::VPNConnection"), "Topic": resource("AWS::SNS::Topic")},
            "Outputs": {"Id": {"Value": {"Ref": "Vpn"}, "Export": {"Name": "link:Id"}}},
        },
        "look": {
            "Resources": {
                "Down": resource("AWS::CloudWatch::Alarm", Dimensions=[{"Value": {"Fn::ImportValue": "link:Id"}}]),
                "Board": resource("AWS::CloudWatch::Dashboard", DashboardBody={"Fn::Sub": "of ${Down.Arn}"}),
            }
        },
    }
    left, gone = split(templates, ("AWS::EC2::VPN*",))
    assert [(one.resource, one.because_of) for one in gone] == [
        ("Vpn", None),
        ("Board", "look/Down"),
        ("Down", "link/Vpn"),
    ]
    assert left == {"link": {"Resources": {"Topic": resource("AWS::SNS::Topic")}, "Outputs": {}}}


def test_a_record_is_left_without_its_health_check(whole: dict[str, dict[str, Any]]) -> None:
    left, gone = split(whole, ("AWS::Route53::HealthCheck",))
    assert [one.type for one in gone] == ["AWS::Route53::HealthCheck"]
    (record,) = (
        r["Properties"] for r in left["dns"]["Resources"].values() if text(r).find('"SetIdentifier": "target"') > 0
    )
    assert "HealthCheckId" not in record
    assert record["Weight"] == 0


def test_only_resources_with_the_property_go_when_one_is_named() -> None:
    alarm = resource("AWS::CloudWatch::Alarm", MetricName="CPUUtilization")
    computed = resource("AWS::CloudWatch::Alarm", Metrics=[{"Expression": "a/b"}])
    left, gone = split({"s": {"Resources": {"A": alarm, "B": computed}}}, ("AWS::CloudWatch::Alarm.Metrics",))
    assert left == {"s": {"Resources": {"A": alarm}}}
    assert gone == (SplitOff(stack="s", resource="B", type="AWS::CloudWatch::Alarm", because_of=None),)


@pytest.fixture
def assembly(built: Templates, tmp_path: Path) -> Assembly:
    folder = shutil.copytree(built.folder, tmp_path / "cdk.out")
    stacks = tuple(
        Stack(name=f"{stack}-prod", template=f"{stack}.template.json", resources=0, needs=())
        for stack in built.stacks()
    )
    return Assembly(folder=folder, stacks=stacks, seconds=0)


def test_a_template_that_changed_is_uploaded_under_its_new_hash(assembly: Assembly) -> None:
    left = reduced(assembly, ["AWS::Events::Archive"])
    content = (assembly.folder / "events.template.json").read_bytes()
    assert b"AWS::Events::Archive" not in content
    name = hashlib.sha256(content).hexdigest()
    assets = json.loads((assembly.folder / "events.assets.json").read_text(encoding="utf-8"))["files"]
    assert assets[name]["source"]["path"] == "events.template.json"
    manifest = json.loads((assembly.folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    assert manifest["events"]["properties"]["stackTemplateAssetObjectUrl"].endswith(f"/{name}.json")
    assert [one.type for one in left.split_off] == ["AWS::Events::Archive"]


def test_a_stack_that_lost_everything_is_not_deployed(assembly: Assembly) -> None:
    left = reduced(assembly, ["AWS::CloudWatch::Dashboard"])
    assert "observability-prod" not in {stack.name for stack in left.stacks}
    manifest = json.loads((assembly.folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    assert not {"observability", "observability.assets"} & manifest.keys()


def test_a_type_that_nothing_is_of_is_a_slip(assembly: Assembly) -> None:
    with pytest.raises(TypeNotThere, match="AWS::Event::Archive"):
        reduced(assembly, ["AWS::Event::Archive"])
