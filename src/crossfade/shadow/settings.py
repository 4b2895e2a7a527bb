"""What a person may set about a comparison, as a file; every fault of it at once."""

import json
import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, ValidationError

from crossfade.model.file.explain import explain, path_in_file
from crossfade.model.file.fault import Fault
from crossfade.model.file.quantities import Duration, PositivePercent
from crossfade.model.file.section import Section
from crossfade.model.file.texts import FieldPath, Header, Secret
from crossfade.model.file.tree import read_tree

_SAID = re.compile(r"^\s*(?!#|---\s*$)\S", re.MULTILINE)  # a line that is more than a comment

Part = Annotated[float, Field(ge=0, le=1)]
Chance = Annotated[float, Field(gt=0, lt=0.5)]


class Tolerance(Section):
    """How far numbers in one place may lie apart: within either of both limits they are equal."""

    path: FieldPath
    relative: Part = 0.0
    """Part of the larger number; 0.01 is 1 %."""
    absolute: Annotated[float, Field(ge=0)] = 0.0
    """In the number's own unit."""


class Timestamp(Section):
    """A place that holds instants: compared as instants, however they are written."""

    path: FieldPath
    tolerance: Duration = timedelta(0)
    """How far apart they may lie."""


class ShadowSettings(Section):
    """Settings of `crossfade shadow compare`; names that the migration file's `shadow` has too mean the same."""

    sample_percent: PositivePercent = 100.0
    """Share of pairs that are compared, chosen by a stable hash of their ids."""
    alpha: Chance = 0.05
    """Chance to call any field a regression that is none, over all fields."""
    noise_alpha: Chance = 0.05
    """Chance, for one field, to call a regression noise."""
    noise_ratio: Annotated[float, Field(gt=1, le=100)] = 2.0
    """Noise is what is shown to differ less than so many times as often as the control from itself."""
    ignore_fields: tuple[FieldPath, ...] = ()
    """Fields of JSON bodies that are not compared."""
    ignore_headers: tuple[Header, ...] = ("date", "server", "x-request-id")
    """Headers that are not compared, beside those of the connection."""
    mask_fields: tuple[FieldPath, ...] = ()
    """Fields with personal data, beside those known by name: compared by their masks, hence without tolerance."""
    mask_key: Secret | None = None
    """Where the key of the masks is kept; without it each run makes its own."""
    show_fields: tuple[FieldPath, ...] = ()
    """Fields whose values examples may show; everything else is shown masked."""
    maps: tuple[FieldPath, ...] = ()
    """Objects whose keys are data, such as customer numbers: counted as one field, `*`."""
    unordered_lists: tuple[FieldPath, ...] = ()
    """Lists whose order does not matter; how often an entry occurs does."""
    null_is_missing: bool = False
    """Whether a field that is null equals one that is not there."""
    numeric_tolerance: Part = 0.0
    """Relative difference of numbers that counts as equal, wherever `tolerances` says nothing else."""
    tolerances: tuple[Tolerance, ...] = ()
    """Other tolerances by place; of several that fit the last one counts."""
    timestamps: tuple[Timestamp, ...] = ()
    """Places with instants; of several that fit the last one counts."""
    examples: Annotated[int, Field(ge=0, le=20)] = 3
    """Examples of differing values that are kept of each field."""


def read_settings(text: str, name: str) -> ShadowSettings | tuple[Fault, ...]:
    """The settings that `text` (YAML) describes, or all its faults, ordered by place; an empty text is the defaults."""
    if not _SAID.search(text):
        return ShadowSettings()
    tree = read_tree(text, name)
    if tree.unreadable:
        return tuple(tree.faults)
    try:
        settings = ShadowSettings.model_validate_json(json.dumps(tree.data))
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            path = path_in_file(error["loc"])
            if path not in tree.broken:
                tree.add(path, *explain(error, path, tree, ShadowSettings))
        return tuple(sorted(tree.faults))
    return tuple(sorted(tree.faults)) if tree.faults else settings
