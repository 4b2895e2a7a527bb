import copy
from typing import Any

import jsonschema
import pytest

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.published import json_schema, sections
from crossfade.model.file.reference import reference
from crossfade.model.file.tree import read_tree
from crossfade.model.file.validate import validate
from tests.model.file.files import minimal, sound
from tests.model.file.published import EXAMPLE, REFERENCE, SCHEMA, schema_text

REGENERATE = "run: python -m tests.model.file.published"


def example_data() -> Any:
    return read_tree(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name).data


def checker() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_schema_file_is_current_when_models_change() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), REGENERATE


def test_reference_is_current_when_models_change() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), REGENERATE


@pytest.mark.parametrize("data", [example_data(), minimal()], ids=["example", "minimal"])
def test_schema_accepts_file_when_load_does(data: Any) -> None:
    assert [error.message for error in checker().iter_errors(data)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("database", "size"), 500),
        (("database", "password"), "hunter2"),
        (("traffic", "ladder", "bake"), "15 minutes"),
        (("traffic", "ladder", "step"), "110"),
        (("traffic", "strategy"), "big-bang"),
        (("environment", "suffix"), "Prod_1"),
        (("database", "source", "credentials"), "hunter2"),
        (("approvals",), [{"phase": "cutovr"}]),
        (("source", "cidr"), None),
    ],
)
def test_schema_refuses_value_when_load_does(path: tuple[str, ...], value: Any) -> None:
    data = copy.deepcopy(example_data())
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert list(checker().iter_errors(data))
    file, errors = validate(data)
    assert file is None
    assert errors


def test_every_key_is_described_when_published() -> None:
    undescribed = [
        f"{section.__name__}.{name}"
        for section in sections(MigrationFile)
        for name, field in section.model_fields.items()
        if not field.description
    ]
    assert undescribed == []
    assert [section.__name__ for section in sections(MigrationFile) if not section.__doc__] == []


def test_section_names_are_unique_when_published() -> None:
    names = [section.__name__ for section in sections(MigrationFile)]
    assert len(names) == len(set(names))


def test_defaults_are_valid_when_written_out() -> None:
    file = sound(EXAMPLE.read_text(encoding="utf-8"))
    assert MigrationFile.model_validate_json(file.model_dump_json()) == file
    defaults, errors = validate(minimal())
    assert defaults is not None, errors
    assert validate(defaults.model_dump(mode="json"))[0] == defaults


def test_example_describes_the_reference_case() -> None:
    file = sound(EXAMPLE.read_text(encoding="utf-8"))
    assert str(file.source.cidr) == "192.168.0.0/16"
    assert str(file.target.cidr) == "10.0.0.0/16"
    assert len(file.target.zone_names(file.environment.region)) == 3
    assert file.environment.region == "us-east-1"
    assert file.database.source.version == 13
    assert file.database.size == 500 * 10**9
    assert file.servers.count == len(file.source.servers) == 12
    assert sum(share.size for share in file.files.shares) == 2 * 10**12
    assert file.rehearsal.requests_per_second == 300
    assert file.rehearsal.write_fraction == 0.5
