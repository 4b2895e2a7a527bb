"""The resources of written templates, by type."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Properties = Mapping[str, Any]


class Resources:
    """What the templates of one synthesis ask CloudFormation for."""

    def __init__(self, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self._found: dict[str, list[Properties]] = {}
        for template in templates.values():
            for resource in template["Resources"].values():
                self._found.setdefault(resource["Type"], []).append(resource.get("Properties", {}))

    def all(self, kind: str) -> tuple[Properties, ...]:
        """Properties of each resource of the type, such as `AWS::KMS::Key`."""
        return tuple(self._found.get(kind, ()))

    def count(self, kind: str) -> int:
        return len(self._found.get(kind, ()))

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._found)


def read_resources(folder: Path) -> Resources:
    """Of all templates in the folder of a synthesis."""
    paths = sorted(folder.glob("*.template.json"))
    return Resources({path.name: json.loads(path.read_text(encoding="utf-8")) for path in paths})
