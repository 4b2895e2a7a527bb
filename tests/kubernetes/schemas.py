"""Objects held against their schemas strictly: a field that the schema does not know is a fault.

A cluster prunes such fields without a word, so a slip of the pen would be a setting that is not set.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

_DATA = Path(__file__).parents[1] / "data"
_CUSTOM = {
    ("argoproj.io/v1alpha1", "Rollout"): "rollouts.json",
    ("argoproj.io/v1alpha1", "AnalysisTemplate"): "analysistemplates.json",
}


def faults(thing: Mapping[str, Any]) -> list[str]:
    """Every fault with its place; of a kind that there is no schema of, that."""
    api, kind = str(thing.get("apiVersion")), str(thing.get("kind"))
    validator = _validator(api, kind)
    if validator is None:
        return [f"no schema of {api} {kind}"]
    found = validator.iter_errors(thing)
    return sorted(f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in found)


def known(thing: Mapping[str, Any]) -> bool:
    return _validator(str(thing.get("apiVersion")), str(thing.get("kind"))) is not None


@cache
def _validator(api: str, kind: str) -> Validator | None:
    builtin = json.loads((_DATA / "kubernetes" / "builtin.json").read_text(encoding="utf-8"))
    if (api, kind) in _CUSTOM:
        schema = _closed(json.loads((_DATA / "argo" / _CUSTOM[api, kind]).read_text(encoding="utf-8")))
        schema["properties"]["metadata"] = {"$ref": "#/$defs/V1ObjectMeta"}
        schema["$defs"] = builtin["$defs"]
        return Draft202012Validator(schema)
    if f"{api}/{kind}" in builtin["kinds"]:
        return Draft202012Validator({"$ref": f"#/$defs/{builtin['kinds'][f'{api}/{kind}']}", "$defs": builtin["$defs"]})
    return None


def _closed(schema: Any) -> Any:
    """Objects with properties have no others, unless the schema itself says so."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _closed(value) for key, value in schema.items()}
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not open_ended:
        found["additionalProperties"] = False
    return found
