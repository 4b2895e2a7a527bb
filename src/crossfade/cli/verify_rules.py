"""The rules of `crossfade verify` as a file: tables and columns with other names, what to leave out, which rows."""

from pathlib import Path
from typing import Annotated, ClassVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crossfade.model.errors import CrossfadeError
from crossfade.verify.rules import TableRule

_MOST_BYTES = 1_000_000
Title = Annotated[str, Field(pattern=r"^[^.]+\.[^.]+$")]


class RulesFaulty(CrossfadeError):
    """The file of rules cannot be used; `faults` has each one with its place."""

    remedy = "Name tables as schema.table; what a rule may say stands in docs/verification.md, 'Rules'."

    def __init__(self, path: Path, faults: tuple[str, ...]) -> None:
        self.path, self.faults = path, faults
        super().__init__("; ".join(f"{path}: {fault}" for fault in faults))


class _Record(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)


class RuleOfFile(_Record):
    """One table of the source."""

    target: Title | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    ignore: list[str] = Field(default_factory=list)
    ignore_on_target: list[str] = Field(default_factory=list)
    where: str | None = None
    where_on_target: str | None = None

    @field_validator("where", "where_on_target")
    @classmethod
    def _is_one_condition(cls, text: str | None) -> str | None:
        if text is not None and (";" in text or not text.strip()):
            raise ValueError("is to be one condition, without a semicolon")
        return text

    def rule(self) -> TableRule:
        return TableRule(
            target=self.target,
            columns=self.columns,
            ignore=tuple(self.ignore),
            ignore_on_target=tuple(self.ignore_on_target),
            where=self.where,
            where_on_target=self.where_on_target,
        )


class RulesFile(_Record):
    tables: dict[Title, RuleOfFile] = Field(default_factory=dict)


def read_rules(path: Path) -> dict[str, TableRule]:
    """The rules by the source's table. Raises `RulesFaulty` with every fault."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise RulesFaulty(path, ("is larger than 1 MB",))
        told = RulesFile.model_validate(yaml.safe_load(content) or {})
    except ValidationError as exc:
        faults = (f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}" for fault in exc.errors())
        raise RulesFaulty(path, tuple(faults)) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise RulesFaulty(path, ("is not YAML",)) from None
    except OSError as exc:
        raise RulesFaulty(path, (exc.strerror or str(exc),)) from None
    return {title: rule.rule() for title, rule in told.tables.items()}
