"""Any other YAML file with a strict schema, read as the migration file is: the section, or every fault at once."""

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError

from crossfade.model.file.explain import explain, path_in_file
from crossfade.model.file.fault import Fault
from crossfade.model.file.rules.finding import Finding
from crossfade.model.file.section import Section
from crossfade.model.file.tree import Tree, read_tree

S = TypeVar("S", bound=Section)


def no_rules(_: Section) -> Iterable[Finding]:
    """For a file whose values need not fit together."""
    return ()


def read_section(
    text: str, name: str, root: type[S], rules: Callable[[S], Iterable[Finding]] = no_rules
) -> S | tuple[Fault, ...]:
    """What `text` describes, or all its faults, ordered by place. Raises nothing for any text.

    `rules` are asked once every value is sound by itself. `name` is what people call the file.
    """
    tree = read_tree(text, name)
    if tree.unreadable:
        return tuple(tree.faults)
    found = _validated(tree, root)
    if found is not None:
        for finding in rules(found):
            written = next((place for place in finding.places if place in tree.places), finding.places[0])
            tree.add(written, finding.problem, finding.remedy)
    return found if found is not None and not tree.faults else tuple(sorted(tree.faults))


def _validated(tree: Tree, root: type[S]) -> S | None:
    """The section; None after its faults were added to `tree`."""
    try:
        return root.model_validate_json(json.dumps(tree.data))
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            path = path_in_file(error["loc"])
            if path not in tree.broken:
                tree.add(path, *explain(error, path, tree, root))
    return None
