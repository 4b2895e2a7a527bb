"""Every command of a playbook exists: each goes through the parser of its program, and one of no known kind fails."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import jmespath
import pytest
from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

from crossfade.database.settings import channel
from crossfade.infra.kubernetes.names import application
from crossfade.model.seen import Shares
from crossfade.model.terms import Side
from crossfade.planning.playbooks import statements
from crossfade.planning.playbooks.page import as_markdown
from crossfade.planning.playbooks.records import Playbooks
from crossfade.traffic import runtime
from tests.docs.test_command_lines import faults as faults_of_ours
from tests.planning.playbooks.making import BLUE_GREEN, KUBERNETES, LEDGER, example, playbooks_in, playbooks_of
from tests.planning.playbooks.shell import Line, blocks, line

MODELS = botocore.session.Session()
GLOBAL = {"--query", "--output"}
OF_ROLLOUTS = {"get": {"--namespace"}, "abort": {"--namespace"}, "undo": {"--namespace"}}
"""Of the verbs and options that facts about the plugin name: what playbooks use. Source: docs/kubernetes.md."""
OF_CURL = {"--silent", "--fail", "--max-time", "--output", "--write-out"}
OF_PSQL = re.compile(r'psql "\$(SOURCE|TARGET)" -XqAt -v ON_ERROR_STOP=1(?: -v (\w+)="\$(\w+)")?(?: -c ".*"| <<)')
ELSEWHERE = {"MIGRATION", "SOURCE", "TARGET", "EPOCH", "ROUTER_ADMIN", "ROUTER_RUNTIME", "SOURCE_HOST"}
"""Variables that a person sets."""

WRITTEN: dict[str, Callable[[], Playbooks]] = {
    "ledger": lambda: playbooks_in(LEDGER),
    "blue-green": lambda: playbooks_in(BLUE_GREEN),
    "kubernetes": lambda: playbooks_in(KUBERNETES),
    "argo": lambda: playbooks_of(
        traffic__router="argo",
        target__containers__image="ledger:1",
        kubernetes__namespace="ledger",
        connectivity__direct_connect={"enabled": True, "connection": "dxcon-fg000001"},
    ),
    "envoy-and-aurora": lambda: playbooks_of(
        traffic__router="envoy", database__target={"engine": "aurora"}, servers__engine="cloudendure"
    ),
}
ALL = [
    pytest.param(block, id=f"{name}:{number}")
    for name, made in WRITTEN.items()
    for number, block in enumerate(dict.fromkeys(blocks(as_markdown(made()))))
]


@dataclass(frozen=True)
class Called:
    """A line of AWS's command line, with the operation that it names."""

    operation: OperationModel
    given: dict[str, list[str]]


def faults(text: str) -> list[str]:
    """What is wrong with a block, of whichever kind it is."""
    told = line(text)
    if told.sets and not told.words:
        return []
    known = {"aws": aws, "psql": psql, "kubectl": kubectl, "curl": curl, "ln": links, "mv": links}
    if told.program == "crossfade":
        return faults_of_ours(" ".join(text.split()), whole=True)
    if told.program not in known:
        return [f"{told.program or text!r} is no kind of line that is known"]
    return known[told.program](told, text)


def aws(told: Line, _: str) -> list[str]:
    service, verb, *rest = told.words[1:]
    model = MODELS.get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if verb not in names:
        return [f"{service} has no operation {verb}"]
    called = Called(model.operation_model(names[verb]), options(rest))
    return [*parameters(called), *query(called)]


def options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            found[word] = []
        else:
            found[next(reversed(found))].append(word)
    return found


def parameters(called: Called) -> list[str]:
    shape = called.operation.input_shape
    members = {f"--{xform_name(name, '-')}": (name, of) for name, of in shape.members.items()} if shape else {}
    required = {f"--{xform_name(name, '-')}" for name in shape.required_members} if shape else set()
    ours = called.given.keys() - GLOBAL
    wrong = [f"{called.operation.name} has no {option}" for option in ours - members.keys()]
    wrong += [f"{called.operation.name} needs {option}" for option in required - ours]
    return wrong + [fault for option in ours & members.keys() for fault in value(members[option], called.given[option])]


def value(member: tuple[str, Shape], words: list[str]) -> list[str]:
    name, shape = member
    if isinstance(shape, ListShape):
        if not words:
            return [f"{name} is empty"]
        of = shape.member
        if isinstance(of, StructureShape):
            keys = {part.partition("=")[0] for word in words for part in re.split(r",(?=[A-Za-z]+=)", word)}
            return [f"{name} has no {key}" for key in keys - of.members.keys()]
        return []
    if len(words) != 1:
        return [f"{name} takes one value, not {words}"]
    if isinstance(shape, StructureShape) and not words[0].startswith("file://"):
        return [f"{name} is a structure: name a file"]
    if shape.type_name == "integer" and not words[0].isdigit():
        return [f"{name} is a number, not {words[0]}"]
    return []


def query(called: Called) -> list[str]:
    """Every field that a query names is one of the answer."""
    if "--query" not in called.given:
        return []
    (text,) = called.given["--query"]
    parsed = jmespath.compile(text).parsed
    known = set(fields_of(called.operation.output_shape, set()))
    return [f"{called.operation.name} answers with no {name}" for name in fields_in(parsed) if name not in known]


def fields_in(node: dict[str, Any]) -> Iterator[str]:
    if node["type"] == "field":
        yield node["value"]
    for child in node.get("children", ()):
        yield from fields_in(child)


def fields_of(shape: Shape | None, met: set[str]) -> Iterator[str]:
    if shape is None or shape.name in met:
        return
    met.add(shape.name)
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield name
            yield from fields_of(member, met)
    if isinstance(shape, ListShape):
        yield from fields_of(shape.member, met)


def psql(told: Line, text: str) -> list[str]:
    """Its statements are said to real servers in tests/database/test_by_hand.py."""
    head = OF_PSQL.match(text) or OF_PSQL.match(text.partition("$(")[2])
    if head is None:
        return [f"no line of psql that is known: {text.splitlines()[0]}"]
    used = set(re.findall(r"(?<!:):'?([a-z]+)", told.given))
    return [] if used == ({head[2]} if head[2] else set()) else [f"{used} are used, and {head[2]} is set"]


def kubectl(told: Line, _: str) -> list[str]:
    plugin, verb, *rest = " ".join(told.words[1:3]), *told.words[3:]
    file = example(KUBERNETES)
    if plugin != "argo rollouts" or verb not in OF_ROLLOUTS:
        return [f"no verb that is known: {told.words}"]
    named = [word for word in rest if not word.startswith("--")]
    expected = [application(file), file.kubernetes.namespace]
    unknown = {word for word in rest if word.startswith("--")} - OF_ROLLOUTS[verb]
    return [] if named[-2:] == expected and not unknown else [f"{told.words} names {named}, not {expected}"]


def curl(told: Line, _: str) -> list[str]:
    unknown = [word for word in told.words if word.startswith("--") and word not in OF_CURL]
    address = urlsplit(told.words[-1].replace("$ROUTER_ADMIN", "http://127.0.0.1:9901"))
    return unknown + ([] if address.scheme == "http" and address.hostname else [f"no address: {told.words[-1]}"])


def links(told: Line, _: str) -> list[str]:
    """They are carried out below."""
    return [] if all("$ROUTER_RUNTIME/" in word for word in told.words[-1:]) else [f"elsewhere: {told.words}"]


@pytest.mark.parametrize("block", ALL)
def test_each_command_is_one_that_its_program_knows(block: str) -> None:
    assert faults(block) == []


@pytest.mark.parametrize(
    "block",
    [
        "rm --recursive everything",
        'crossfade rollback "$MIGRATION"',
        'crossfade roll-back "$MIGRATION" --reason "x"',
        'aws route53 list-record-sets --hosted-zone-id "$ZONE"',
        "aws route53 list-resource-record-sets --output text",
        'aws route53 list-resource-record-sets --zone "$ZONE"',
        'aws route53 list-resource-record-sets --hosted-zone-id "$ZONE" --query RecordSets',
        "aws route53 change-resource-record-sets --hosted-zone-id x --change-batch weights",
        "aws cloudwatch describe-alarm-history --max-records many",
        "aws ec2 describe-vpn-connections --filters Nam=tag:Name,Values=vpn",
        "kubectl argo rollouts promote ledger --namespace ledger",
        "kubectl argo rollouts abort other --namespace ledger",
        "kubectl delete namespace ledger",
        "curl --insecure http://127.0.0.1/",
        "psql \"$SOURCE\" <<'SQL'\nSELECT 1;\nSQL",
        "psql \"$SOURCE\" -XqAt -v ON_ERROR_STOP=1 <<'SQL'\nSELECT crossfade.fence(:epoch);\nSQL",
    ],
)
def test_a_command_is_found_out_when_its_program_would_refuse_it(block: str) -> None:
    assert faults(block)


@pytest.mark.parametrize("name", WRITTEN)
def test_each_variable_is_set_before_it_is_used(name: str) -> None:
    known = set(ELSEWHERE)
    for block in blocks(as_markdown(WRITTEN[name]())):
        told = line(block)
        assert told.uses <= known, block
        known |= {told.sets} if told.sets else set()


def test_both_weights_are_changed_at_once_and_keep_everything_else() -> None:
    """What the query makes of the records as they stand is a change that Route 53 takes."""
    by_hand = playbooks_in(LEDGER).cards["shares-0"].by_hand
    text = options(list(line(by_hand[0].text).words[3:]))["--query"]
    record = {"Name": "app.ledger.internal.", "Type": "CNAME", "TTL": 30, "ResourceRecords": [{"Value": "x"}]}
    stands = [
        {**record, "Name": "other.ledger.internal.", "SetIdentifier": "source", "Weight": 7},
        {**record, "SetIdentifier": "source", "Weight": 90},
        {**record, "SetIdentifier": "target", "Weight": 165, "HealthCheckId": "kept"},
    ]
    batch = jmespath.search(text[0], {"ResourceRecordSets": stands})
    changed = [change["ResourceRecordSet"] for change in batch["Changes"]]
    assert changed == [{**stands[1], "Weight": 255}, {**stands[2], "Weight": 0}]
    shape = MODELS.get_service_model("route53").operation_model("ChangeResourceRecordSets").input_shape
    report = ParamValidator().validate({"HostedZoneId": "Z", "ChangeBatch": batch}, shape)
    assert not report.has_errors(), report.generate_report()
    assert {change["Action"] for change in batch["Changes"]} == {"UPSERT"}
    assert json.loads(json.dumps(batch)) == batch


def test_everybody_is_on_the_legacy_servers_when_the_link_is_replaced_by_hand(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    runtime.write(tmp_path, Shares(canary_percent=50.0))
    for command in playbooks_of(traffic__router="envoy").cards["shares-0"].by_hand:
        subprocess.run(
            ["bash", "-c", command.text], env={"ROUTER_RUNTIME": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True
        )
    assert runtime.read(tmp_path) == Shares(canary_percent=0.0)


def test_replication_is_named_as_the_database_role_names_it() -> None:
    assert [statements.channel(side) for side in Side] == [channel(side) for side in Side]


def test_no_password_stands_in_a_playbook() -> None:
    text = as_markdown(playbooks_in(LEDGER)).lower()
    assert [word for word in ("password=", "pgpassword", "secretsmanager:", "identified by") if word in text] == []
