"""A text with a form: a pattern for the program and the schema, words for the person."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Form:
    """Annotates a str: the whole of it must match `pattern` (ASCII) and be no longer than `max_length`.

    `words` complete the sentence 'write …' and become the remedy. The value is never repeated in the refusal.
    """

    pattern: str
    words: str
    max_length: int = 500

    def check(self, value: str) -> str:
        """`value` itself. Raises `PydanticCustomError` of type `form` or `length`."""
        if len(value) > self.max_length:
            raise PydanticCustomError(
                "length",
                "has {length} letters; {most} are allowed",
                {"length": len(value), "most": self.max_length, "remedy": "shorten it"},
            )
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise PydanticCustomError("form", "does not have the form it needs", {"remedy": f"write {self.words}"})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^{self.pattern}$", "maxLength": self.max_length, "x-kind": self.words}
