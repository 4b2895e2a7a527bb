"""The published schema and reference: where they lie, and `python -m tests.model.file.published` to write them anew."""

import json
from pathlib import Path

from crossfade.model.file.published import json_schema
from crossfade.model.file.reference import reference

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "schemas" / "migration.schema.json"
REFERENCE = ROOT / "docs" / "migration-file.md"
EXAMPLE = ROOT / "examples" / "ledger" / "migration.yaml"


def schema_text() -> str:
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
