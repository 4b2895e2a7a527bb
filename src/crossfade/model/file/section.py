"""What every section of the migration file has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen, strict part of the file: no unknown key, no silent conversion, no NaN or infinity.

    The text below a field is its description in the published JSON Schema and in the reference.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
