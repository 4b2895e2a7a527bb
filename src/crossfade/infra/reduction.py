"""Splits resources off the templates of a folder, so that the command line of the CDK deploys what is left."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.errors import TypeNotThere
from crossfade.infra.split import Template, is_of, split

_MANIFEST = "manifest.json"


def reduced(assembly: Assembly, types: Iterable[str]) -> Assembly:
    """The assembly without resources of the types, rewritten in its folder. Raises TypeNotThere."""
    wanted = tuple(types)
    templates: dict[str, Template] = {
        stack.name: json.loads((assembly.folder / stack.template).read_text(encoding="utf-8"))
        for stack in assembly.stacks
    }
    there = [resource for template in templates.values() for resource in template["Resources"].values()]
    if strange := tuple(one for one in wanted if not any(is_of(resource, one) for resource in there)):
        raise TypeNotThere(strange)
    left, gone = split(templates, wanted)
    changed = {one.stack for one in gone}
    for stack in assembly.stacks:
        if stack.name in left and stack.name in changed:
            _rewrite(assembly.folder, stack, left[stack.name])
    emptied = {stack.name for stack in assembly.stacks} - left.keys()
    if emptied:
        _forget(assembly.folder, emptied)
    return replace(
        assembly,
        stacks=tuple(
            replace(s, resources=len(left[s.name]["Resources"]), needs=tuple(n for n in s.needs if n in left))
            for s in assembly.stacks
            if s.name in left
        ),
        split_off=gone,
    )


def _rewrite(folder: Path, stack: Stack, template: Template) -> None:
    """A template is uploaded under the hash of its content: with the content, the hash changes wherever it stands."""
    place = folder / stack.template
    listing = folder / stack.template.replace(".template.json", ".assets.json")
    files: dict[str, Any] = json.loads(listing.read_text(encoding="utf-8"))["files"]
    (before,) = (name for name, asset in files.items() if asset["source"]["path"] == stack.template)
    content = json.dumps(template, indent=1)
    after = hashlib.sha256(content.encode()).hexdigest()
    place.write_text(content, encoding="utf-8")
    for path in (listing, folder / _MANIFEST):
        path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def _forget(folder: Path, emptied: set[str]) -> None:
    """A stack without resources cannot be deployed."""
    place = folder / _MANIFEST
    manifest: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    artifacts: dict[str, Any] = manifest["artifacts"]
    stacks = {i for i, a in artifacts.items() if a.get("properties", {}).get("stackName") in emptied}
    lost = stacks | {f"{identity}.assets" for identity in stacks}
    manifest["artifacts"] = {i: _without(artifact, lost) for i, artifact in artifacts.items() if i not in lost}
    place.write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _without(artifact: dict[str, Any], lost: set[str]) -> dict[str, Any]:
    if "dependencies" not in artifact:
        return artifact
    return {**artifact, "dependencies": [one for one in artifact["dependencies"] if one not in lost]}
