"""Plain data against the schema."""

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from crossfade.model.file.document import MigrationFile


def validate(data: Any) -> tuple[MigrationFile | None, list[ErrorDetails]]:
    """The file, or None with every refusal of the schema.

    It goes through JSON, because there strict pydantic reads lists as tuples and texts as enums and dates.
    """
    try:
        return MigrationFile.model_validate_json(json.dumps(data)), []
    except ValidationError as exc:
        return None, exc.errors(include_url=False)
