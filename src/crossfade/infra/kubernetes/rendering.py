"""Objects as YAML that a person can read and `kubectl` takes."""

from collections.abc import Sequence

import yaml

from crossfade.infra.kubernetes.names import Object


class _Dumper(yaml.SafeDumper):
    """Queries and scripts stand as they are, line by line; nothing is an anchor."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's own
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # PyYAML's own
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def rendered(header: str, objects: Sequence[Object]) -> str:
    """The header as comments, then each object as a document of its own, in that order. Ends with a newline."""
    comments = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    bodies = (
        yaml.dump(one, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000, default_flow_style=False)
        for one in objects
    )
    return comments + "---\n".join(bodies)
