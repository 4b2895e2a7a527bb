"""Splits resources off that an endpoint or an account cannot have, so that the rest can be deployed without them. Pure.

Nothing goes silently: each resource that is split off is told, with the reason. What refers to one that went goes too,
also in other stacks, unless it is known to stand without that reference.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Template = dict[str, Any]

_STANDS_WITHOUT = {("AWS::Route53::RecordSet", "HealthCheckId")}
"""Properties that may be left out when what they name went: a record is answered without its health check."""
_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SplitOff:
    """One resource that is not deployed."""

    stack: str
    resource: str
    """Its logical id."""
    type: str
    because_of: str | None
    """The resource that it cannot stand without, as `stack/id`; None: it is of a type that is split off."""


def split(
    templates: Mapping[str, Template], types: tuple[str, ...]
) -> tuple[dict[str, Template], tuple[SplitOff, ...]]:
    """The templates by stack without resources of the types, and what went.

    A type may end with `*`, as AWS::DMS::*, or name a property: then only resources of the type that have it go.

    The templates that are given stay as they are. One that loses every resource is left out of the answer.
    """
    gone: dict[tuple[str, str], SplitOff] = {}
    for stack, template in templates.items():
        for identity, resource in template["Resources"].items():
            if any(is_of(resource, one) for one in types):
                gone[stack, identity] = SplitOff(stack=stack, resource=identity, type=resource["Type"], because_of=None)
    while further := dict(_falling(templates, gone)):
        gone |= further
    left = {stack: _rest(stack, template, templates, gone) for stack, template in templates.items()}
    return {stack: template for stack, template in left.items() if template["Resources"]}, tuple(sorted(gone.values()))


def is_of(resource: Template, kind: str) -> bool:
    """Whether a resource is of the type, and has the property if one is named."""
    wanted, _, having = kind.partition(".")
    return fnmatchcase(resource["Type"], wanted) and (not having or having in resource.get("Properties", {}))


_Gone = Mapping[tuple[str, str], SplitOff]


def _falling(templates: Mapping[str, Template], gone: _Gone) -> Iterator[tuple[tuple[str, str], SplitOff]]:
    exports = _exports(templates, gone)
    for stack, template in templates.items():
        for identity, resource in template["Resources"].items():
            if (stack, identity) in gone:
                continue
            needed = _needed(resource)
            lost = next((place for place in _named(needed, stack, exports) if place in gone), None)
            if lost is not None:
                because = "/".join(lost)
                kind = resource["Type"]
                yield (stack, identity), SplitOff(stack=stack, resource=identity, type=kind, because_of=because)


def _needed(resource: Template) -> dict[str, Any]:
    kind = resource["Type"]
    return {k: v for k, v in resource.get("Properties", {}).items() if (kind, k) not in _STANDS_WITHOUT}


def _exports(templates: Mapping[str, Template], gone: _Gone) -> dict[str, tuple[str, str]]:
    """By the export's name, the resource that went and that it hands on."""
    return {
        output["Export"]["Name"]: lost
        for stack, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
        for lost in _named(output["Value"], stack, {})
        if lost in gone
    }


def _named(value: Any, stack: str, exports: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The resources that a value refers to, of whatever stack."""
    if isinstance(value, list):
        for one in value:
            yield from _named(one, stack, exports)
    elif isinstance(value, dict):
        for function, argument in value.items():
            match function, argument:
                case "Ref", str():
                    yield stack, argument
                case "Fn::GetAtt", [str(identity), *_]:
                    yield stack, identity
                case "Fn::Sub", str(text) | [str(text), *_]:
                    yield from ((stack, identity) for identity in _IN_SUB.findall(text))
                case "Fn::ImportValue", str(name) if name in exports:
                    yield exports[name]
            yield from _named(argument, stack, exports)


def _rest(stack: str, template: Template, templates: Mapping[str, Template], gone: _Gone) -> Template:
    exports = _exports(templates, gone)

    def lost(value: Any) -> bool:
        return any(place in gone for place in _named(value, stack, exports))

    def without_lost(resource: Template) -> Template:
        rest = dict(resource)
        if "Properties" in rest:
            rest["Properties"] = {k: v for k, v in rest["Properties"].items() if not lost(v)}
        if "DependsOn" in rest:
            waited_for = rest.pop("DependsOn")
            listed = [waited_for] if isinstance(waited_for, str) else waited_for
            if there := [one for one in listed if (stack, one) not in gone]:
                rest["DependsOn"] = there
        return rest

    rest = dict(template)
    rest["Resources"] = {k: without_lost(r) for k, r in template["Resources"].items() if (stack, k) not in gone}
    if "Outputs" in rest:
        rest["Outputs"] = {k: o for k, o in template["Outputs"].items() if not lost(o["Value"])}
    return rest
