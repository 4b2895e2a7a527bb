"""The reference of the migration file, as Markdown, written from the schema itself."""

import json
from typing import Any

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.published import json_schema
from crossfade.model.file.section import Section
from crossfade.model.file.shape import section_of

_OPENING = """\
# The migration file

*Generated from the models in `src/crossfade/model/file/` by `python -m tests.model.file.published`; a test holds it to them.*

One YAML file describes a migration. `crossfade init` writes a short one to start from, `crossfade check FILE` tells every
fault of it at once, with line, column and remedy, and which described sections are not built yet.
`examples/ledger/migration.yaml` is a complete one with comments. Editors complete and check the file with
`schemas/migration.schema.json`.

## How values are written

| kind | written | means |
| --- | --- | --- |
| duration | `500ms`, `30s`, `15m`, `24h`, `7d`, `1h30m` | never a bare number; `10:30` is read by YAML as the number 630 |
| size | `64MB`, `500GB`, `2TB`; `64MiB` | bytes; MB is 10⁶, MiB is 2²⁰ |
| bandwidth | `500Mbps`, `1Gbps` | bits a second |
| percent | `5` or `5%` | 0 to 100 |
| time of day | `"22:00"` | in quotes, or YAML reads a number |
| network, address | `10.0.0.0/16`, `192.168.10.11` | IPv4, no host bits in a network |
| secret reference | `env:NAME`, `file:/path`, `secretsmanager:NAME`, `ssm:/NAME` | where the secret is kept; never the secret |
| true or false | `true`, `false` | YAML also reads `yes`, `no`, `on` and `off` so: put such words in quotes when words are meant |

A key that is not known is a fault, and so is a key given twice. Files are UTF-8, at most 1 MB, one document, without YAML
tags and merge keys.

## What must fit together

Beyond the single values, `check` looks whether networks overlap, zones belong to the region, resource names fit AWS's
limits with the suffix, servers and tiers add up, no rise of the ladder passes `max_step`, the target's PostgreSQL is not
older than the source's, approvals name known phases and enough people, times run forward, and no secret crosses a network
in the clear.

The ladder always stops at 90 with `long_bake`, and always ends at 100. With `start: 5`, `step: 10` it is
5, 15, 25, 35, 45, 55, 65, 75, 85, 90, 100.

The usual choice for `connectivity.primary` is Direct Connect with VPN as its backup; the default here is the other way
round, because the reference case asks for it. Routing prefers Direct Connect by itself, so the data center then announces
more specific prefixes over the VPN.
"""  # noqa: E501  # the rows of a Markdown table cannot be wrapped


def reference() -> str:
    """The whole document, ending with a newline."""
    schema = json_schema()
    parts = [_OPENING, "## The whole file\n", _table(MigrationFile, schema, schema["$defs"])]
    for name, field in MigrationFile.model_fields.items():
        section = section_of(field.annotation)
        if section:
            parts += _section(name, section, schema["$defs"], depth=2)
    return "\n".join(parts)


def _section(path: str, section: type[Section], definitions: dict[str, Any], depth: int) -> list[str]:
    described = definitions[section.__name__]
    parts = [f"{'#' * depth} `{path}`\n", f"{described.get('description', '').strip()}\n"]
    parts.append(_table(section, described, definitions))
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if inner:
            parts += _section(f"{path}.{name}", inner, definitions, depth=min(depth + 1, 4))
    return parts


def _table(section: type[Section], described: dict[str, Any], definitions: dict[str, Any]) -> str:
    lines = ["| key | value | default | |", "| --- | --- | --- | --- |"]
    required = described.get("required", ())
    for name in section.model_fields:
        field = described["properties"][name]
        default = "**required**" if name in required else _default(field)
        says = _cell(section.model_fields[name].description or "")
        lines.append(f"| `{name}` | {_kind(field, definitions)} | {default} | {says} |")
    return "\n".join(lines) + "\n"


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    if value is None or value in ([], {}, ""):
        return "none"
    return f"`{_cell(value if isinstance(value, str) else json.dumps(value))}`"


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "x-kind" in field:
        return _cell(field["x-kind"])
    if "$ref" in field:
        return _kind(definitions[field["$ref"].rsplit("/", 1)[-1]], definitions)
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        return " or ".join(_kind(one, definitions) for one in field["anyOf"] if one.get("type") != "null")
    if field.get("type") == "array":
        return f"list: {_kind(field['items'], definitions)}"
    if field.get("type") == "object":
        return "section" if "properties" in field else f"names with: {_kind(_values(field), definitions)}"
    return _simple(field)


def _values(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a mapping's values; keys with a pattern make pydantic write `patternProperties`."""
    patterns = field.get("patternProperties")
    found: dict[str, Any] = next(iter(patterns.values())) if patterns else field["additionalProperties"]
    return found


def _simple(field: dict[str, Any]) -> str:
    if field.get("format") == "date":
        return "date"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}[field["type"]]
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    bounds = (f" from {low:g}" if low else "") + (f" to {high:,.0f}".replace(",", " ") if high else "")
    return words + bounds


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
