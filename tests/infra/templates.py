"""Synthesised templates, and questions to ask of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from crossfade.model.file import MigrationFile
from tests.model.file.files import sound, with_values
from tests.model.file.published import EXAMPLE

Resource = dict[str, Any]


@cache
def reference() -> MigrationFile:
    return sound(EXAMPLE.read_text(encoding="utf-8"))


OPTIONS: dict[str, Any] = {
    "servers__engine": "cloudendure",
    "aws_tools": {"migration_hub": True, "discovery": True},
    "database__replication__engine": "dms",
    "target__compute": "ecs",
    "target__containers": {
        "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/ledger/application:4.2",
        "tasks": 6,
        "environment": {"LOG_LEVEL": "info"},
        "secrets": {"DATABASE_URL": "secretsmanager:ledger/application-database"},
    },
}
"""What the reference case leaves out or decides otherwise, by path."""


@cache
def options() -> MigrationFile:
    """The reference case with every option that it leaves out."""
    data = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    for path, value in OPTIONS.items():
        *way, last = path.split("__")
        place = data
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    return sound(yaml.safe_dump(data, sort_keys=False))


def least(**changes: Any) -> MigrationFile:
    """The least that can be synthesised, with values set by path."""
    network = IPv4Network(changes.get("source__cidr", "192.168.0.0/16"))
    server = {"name": "web-1", "address": str(network[-1])}
    enough = {"connectivity__vpn__customer_gateway": "203.0.113.10", "source__servers": [server]}
    return sound(with_values(**{**enough, **changes}))


@dataclass(frozen=True)
class Templates:
    folder: Path

    def stacks(self) -> tuple[str, ...]:
        return tuple(sorted(path.name.split(".", 1)[0] for path in self.folder.glob("*.template.json")))

    def paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.template.json"))

    def template(self, stack: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / f"{stack}.template.json").read_text(encoding="utf-8"))
        return told

    def every(self, kind: str = "") -> Iterator[tuple[str, Resource]]:
        """Each resource of the type, of every stack, with `stack/id`."""
        for stack in self.stacks():
            for identity, resource in self.template(stack)["Resources"].items():
                if resource["Type"] == kind or not kind:
                    yield f"{stack}/{identity}", resource

    def properties(self, kind: str) -> list[dict[str, Any]]:
        return [resource.get("Properties", {}) for _, resource in self.every(kind)]

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = self.properties(kind)
        return found


def text(value: Any) -> str:
    """A value with its references, as text to look for names in."""
    return json.dumps(value, sort_keys=True)


def survivors(templates: Templates) -> list[str]:
    """What a destruction would leave behind, or refuse to take away."""
    left = []
    for place, resource in templates.every():
        properties = resource.get("Properties", {})
        policies = {resource.get("DeletionPolicy", "Delete"), resource.get("UpdateReplacePolicy", "Delete")}
        if policies != {"Delete"}:
            left.append(f"{place} has {policies}")
        protections = [name for name in ("DeletionProtection", "DeletionProtectionEnabled") if properties.get(name)]
        left += [f"{place} has {name}" for name in protections]
        attributes = {a.get("Key"): a.get("Value") for a in properties.get("LoadBalancerAttributes", ())}
        if attributes.get("deletion_protection.enabled", "false") != "false":
            left.append(f"{place} has deletion protection")
    emptied = {text(r["Properties"]["BucketName"]) for _, r in templates.every("Custom::S3AutoDeleteObjects")}
    for place, _ in templates.every("AWS::S3::Bucket"):
        if text({"Ref": place.partition("/")[2]}) not in emptied:
            left.append(f"{place} is not emptied")
    return left
