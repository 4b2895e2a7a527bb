"""The rules of `crossfade verify` as a file: tables and columns with other names, what to leave out, which rows."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from crossfade.cli.migration_file import complain_of, text_of
from crossfade.model.file.fault import Fault
from crossfade.model.file.form import Form
from crossfade.model.file.section import Section
from crossfade.model.file.strict import read_section
from crossfade.verify.rules import TableRule

Title = Annotated[str, Form(r"[^.]+\.[^.]+", "schema.table")]
Condition = Annotated[str, Form(r"\s*[^;\s][^;]*", "one condition, without a semicolon", max_length=10_000)]


class RuleOfFile(Section):
    """One table of the source."""

    target: Title | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    ignore_on_target: tuple[str, ...] = ()
    where: Condition | None = None
    where_on_target: Condition | None = None

    def rule(self) -> TableRule:
        return TableRule(
            target=self.target,
            columns=self.columns,
            ignore=self.ignore,
            ignore_on_target=self.ignore_on_target,
            where=self.where,
            where_on_target=self.where_on_target,
        )


class RulesFile(Section):
    """The whole of it."""

    tables: dict[Title, RuleOfFile] = Field(default_factory=dict)


def rules_of(path: Path) -> dict[str, TableRule] | None:
    """The rules by the source's table. None: something is wrong with the file, all of which has been told."""
    text = text_of(path, "check the path; docs/verification.md shows such a file")
    found: RulesFile | tuple[Fault, ...] = text if isinstance(text, tuple) else read_section(text, path.name, RulesFile)
    if isinstance(found, tuple):
        complain_of(found, path)
        return None
    return {title: rule.rule() for title, rule in found.tables.items()}
