"""Documents made from the code: where they lie, and `python -m tests.docs.published` to write them anew."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer.main

from crossfade.cli.application import app
from crossfade.database.port import SWITCH_POINTS
from crossfade.model.terms import Phase
from crossfade.rehearsal.faults.catalogue import CATALOGUE
from tests.docs.documents import ROOT, Document
from tests.docs.preflight_page import PREFLIGHT, preflight_page

COMMANDS = ROOT / "docs" / "commands.md"
DECISIONS = ROOT / "docs" / "adr" / "README.md"
_TITLE = re.compile(r"# (?P<number>\d+)\. (?P<title>.+)")
_GENERATED = "*Generated from the code by `python -m tests.docs.published`; a test holds it to that.*"

_PREFACE = f"""\
# Commands

{_GENERATED}

What every command keeps to:

- People read standard error, programs read standard output: with `--json` its last line is one JSON object.
- Progress is drawn on a terminal only; elsewhere there is a plain line for each event.
- A fault that a person can cause is told with its remedy, and without a traceback.
- `CROSSFADE_HOME` names the folder in which rehearsals lie; without it, `.crossfade` in the working folder.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | failed, with reason and remedy |
| 2 | bad usage, or a bad file |
| 10 | ended safely but not as asked: rolled back, failed back, halted, differences found, journal broken |
| 130 | ended by Ctrl-C |
"""

_DECISIONS_PREFACE = f"""\
# Decisions

{_GENERATED}

Each decision that cost something stands in a file of its own, with its reasons and what was given up for it.
A decision is not rewritten when it is overtaken: a later one says so.

| no. | decision |
| --- | --- |
"""


def commands() -> dict[str, Any]:
    """The commands that people see, by name. Typer's classes are not public, hence Any."""
    return {name: command for name, command in every_command().items() if not command.hidden}


def every_command() -> dict[str, Any]:
    return dict(_commands_of(typer.main.get_command(app)))


def _commands_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Those of a group within the group have its name before theirs, as people type them."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands_of(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def command_reference() -> str:
    listed = "\n".join(
        f"| [`crossfade {name}`](#crossfade-{name.replace(' ', '-')}) | {_cell(_paragraphs(command)[0])} |"
        for name, command in commands().items()
    )
    chapters = "\n".join(_chapter(name, command) for name, command in commands().items())
    return f"{_PREFACE}\n| command | does |\n| --- | --- |\n{listed}\n\n{chapters}\n{_fault_table()}"


def decision_index() -> str:
    return _DECISIONS_PREFACE + "".join(f"{row}\n" for row in _decisions())


def _chapter(name: str, command: Any) -> str:
    usage = [part for part in _usage(command) if part]
    body = [f"## `crossfade {name}`\n", f"```\n{' '.join(['crossfade', name, *usage])}\n```\n"]
    for paragraph in _paragraphs(command):
        example = re.fullmatch(r"Example: (.+)", paragraph)
        body.append(f"```sh\n{example[1]}\n```\n" if example else f"{paragraph}\n")
    rows = [_row(parameter) for parameter in command.params if not parameter.hidden]
    if rows:
        body.append("| | | default |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n")
    return "\n".join(body)


def _usage(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            yield parameter.metavar
        elif parameter.required:
            yield _option(parameter)
    yield "[OPTION]…"


def _paragraphs(command: Any) -> list[str]:
    text = inspect.cleandoc(command.help or "")
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _row(parameter: Any) -> str:
    argument = parameter.param_type_name == "argument"
    shown = parameter.metavar if argument else _option(parameter)
    return f"| `{shown}` | {_cell(parameter.help or '')}{_range(parameter)} | {_default(parameter)} |"


def _option(parameter: Any) -> str:
    if parameter.is_flag:
        return "/".join(parameter.opts)
    return f"{parameter.opts[-1]} {parameter.metavar or _kind(parameter)}" + (" …" if parameter.multiple else "")


def _kind(parameter: Any) -> str:
    if parameter.name == "phase":
        return "PHASE"
    kind = str(parameter.type_descriptor.annotation)
    return "NUMBER" if "int" in kind or "float" in kind else "TEXT"


def _range(parameter: Any) -> str:
    if getattr(parameter, "min", None) is None:
        return ""
    if parameter.max is None:
        return f" At least {parameter.min:g}."
    return f" From {parameter.min:g} to {parameter.max:g}."


def _default(parameter: Any) -> str:
    if parameter.required:
        return "**required**"
    return "" if parameter.default in {None, "", False} else f"`{parameter.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _fault_table() -> str:
    rows = [
        f"| `{kind.name}` | {f'`{kind.example}`' if kind.example else ''} | {_cell(kind.does)} | {kind.lasts} "
        f"| {', '.join(kind.phases) if kind.phases else 'anywhere'}{'' if kind.at_points else '; at no point'} |"
        for kind in CATALOGUE.values()
    ]
    return (
        "## Faults\n\n"
        "`--fault KIND[=AMOUNT]@WHERE` may be given several times. WHERE is a phase\n"
        f"({', '.join(f'`{phase}`' for phase in Phase)}), a share of the\n"
        "ladder (`canary:25`), a decision to go back (`roll_back`, `fail_back`), or a point of a switch: `cutover:`\n"
        f"or, for the switch back, `fail_back:`, and one of {', '.join(f'`{point}`' for point in SWITCH_POINTS)}.\n"
        "At a point the engine waits until the fault has been brought about.\n\n"
        "| kind | amount | what happens | lasts | where |\n| --- | --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
    )


def _decisions() -> Iterator[str]:
    for path in sorted(DECISIONS.parent.glob("[0-9]*.md")):
        title = _TITLE.match(Document(path).text)
        if title is None or int(title["number"]) != int(path.name[:4]):
            raise ValueError(f"{path.name} must begin with '# N. title', N being the number in its name")
        yield f"| {int(title['number'])} | [{title['title']}]({path.name}) |"


if __name__ == "__main__":
    COMMANDS.write_text(command_reference(), encoding="utf-8")
    DECISIONS.write_text(decision_index(), encoding="utf-8")
    PREFLIGHT.write_text(preflight_page(), encoding="utf-8")
