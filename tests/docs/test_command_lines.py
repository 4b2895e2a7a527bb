import re
import shlex
from itertools import takewhile
from typing import Any

import pytest

from crossfade.cli.application import app
from tests.docs.documents import ROOT, Document, documents
from tests.docs.published import every_command

COMMANDS = every_command()
GROUPS = {name.split()[0] for name in COMMANDS if " " in name}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SHELL = {"sh", "bash", "console"}


def lines(document: Document) -> list[str]:
    """Lines of a shell: those that a person would copy."""
    found = []
    for block in document.blocks:
        if block.language in SHELL:
            text = block.text.replace("\\\n", " ")
            found += [line.strip().removeprefix("$ ") for line in text.splitlines()]
    return found


def faults(line: str, *, whole: bool) -> list[str]:
    """What is wrong with a `crossfade …` line; `whole` if it should run as it stands."""
    program, *words = takewhile(">".__ne__, shlex.split(line, comments=True))
    if not words or words[0].startswith("-"):
        return []
    name, *rest = words
    if name in GROUPS and rest:
        name, *rest = f"{name} {rest[0]}", *rest[1:]
    if name not in COMMANDS:
        return [] if name in GROUPS and not whole else [f"{program} has no command {name!r}"]
    known = {"--help"} | {option for parameter in COMMANDS[name].params for option in parameter.opts}
    options = [word.partition("=")[0] for word in rest if re.match(r"--[a-z]", word)]
    unknown = [f"{name} has no option {option}" for option in options if option not in known]
    if unknown or not whole or "…" in line or "--help" in options:
        return unknown
    return parsed(COMMANDS[name], name, rest)


def parsed(command: Any, name: str, words: list[str]) -> list[str]:
    try:
        command.make_context(name, list(words))
    except Exception as fault:  # noqa: BLE001 - typer's own errors are not public
        return [f"{name}: {fault}"]
    return []


@pytest.mark.parametrize("document", documents(), ids=str)
def test_command_lines_name_what_exists_when_documents_show_them(document: Document) -> None:
    ours = re.compile(r"(?:\.venv/bin/)?crossfade [a-z]")
    told = [(line, True) for line in lines(document) if ours.match(line)]
    told += [(span, False) for span in document.spans if ours.match(span)]
    texts = [block.text.replace("\\\n", " ") for block in document.blocks]
    told += [(span, False) for text in texts for span in text.splitlines() if ours.match(span)]
    assert [fault for line, whole in told for fault in faults(line, whole=whole)] == []


@pytest.mark.parametrize("document", documents(), ids=str)
def test_targets_of_make_exist_when_documents_name_them(document: Document) -> None:
    said = [*document.spans, *(line for block in document.blocks for line in block.text.splitlines())]
    named = {found[1] for text in said if (found := re.match(r"make ([a-z-]+)", text.strip()))}
    assert named <= TARGETS


@pytest.mark.parametrize("document", documents(), ids=str)
def test_modules_exist_when_documents_start_them(document: Document) -> None:
    said = [*document.spans, *lines(document)]
    modules = {found[1] for text in said if (found := re.search(r"python -m ([\w.]+)", text))}
    for module in modules:
        place = ROOT / ("src" if module.startswith("crossfade") else "") / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module


@pytest.mark.parametrize(
    "line",
    [
        "crossfade fly",
        "crossfade rehearse migration.yaml --sped 4",
        "crossfade rehearse --speed 4",
        "crossfade rehearse migration.yaml --speed fast",
        "crossfade rollback ledger-3f2a",
        "crossfade shadow pairs.jsonl",
        "crossfade shadow compare --confg compare.yaml pairs.jsonl",
    ],
)
def test_fault_is_found_when_a_line_would_not_run(line: str) -> None:
    assert faults(line, whole=True)


def test_program_is_named_as_documents_name_it() -> None:
    assert app.info.help
    assert 'crossfade = "crossfade.cli.main:run"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
