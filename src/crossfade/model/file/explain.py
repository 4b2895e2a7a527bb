"""What the schema's refusals mean for the person who wrote the file."""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pydantic_core import ErrorDetails

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.quantities import duration_text
from crossfade.model.file.section import Section
from crossfade.model.file.shape import names_at
from crossfade.model.file.tree import Path, Place, Tree

_NAME_THE_STORE = "never write a secret into the file: name where it is kept with `credentials: secretsmanager:NAME`"
_SECRET_NAMES = re.compile(r"passw|passphrase|secret|token|private_key|api_?key|dsn", re.IGNORECASE)


def path_in_file(location: tuple[str | int, ...]) -> Path:
    """The path of a refusal; a mapping's key is marked by a part of its own, which nobody writes."""
    return tuple(part for part in location if part != "[key]")


def explain(error: ErrorDetails, path: Path, tree: Tree, root: type[Section] = MigrationFile) -> tuple[str, str]:
    """Problem and remedy of one refusal of `root`. Values are repeated only where they cannot be a secret."""
    context: Mapping[str, Any] = error.get("ctx", {})
    place = tree.places.get(path, Place(line=1, column=1))
    if "remedy" in context:
        problem, remedy = error["msg"], str(context["remedy"])
    elif error["type"] == "extra_forbidden":
        problem, remedy = "is not known", _instead(str(path[-1]), names_at(path[:-1], root))
    else:
        problem, remedy = _EXPLAIN.get(error["type"], _other)(error, path)
    return _as_yaml_read_it(error, place, problem, remedy)


def _as_yaml_read_it(error: ErrorDetails, place: Place, problem: str, remedy: str) -> tuple[str, str]:
    """YAML turns 10:30 into 630 and no into false; say so, for nobody sees it in the file."""
    value, raw, kind = error["input"], place.raw, error["type"]
    if raw is None or not isinstance(value, bool | int | float):
        return problem, remedy
    quoted = f'write "{raw}" in quotes if it is meant as a text'
    if isinstance(value, bool):
        if kind != "string_type" and raw.lower() in {"true", "false"}:
            return problem, remedy
        return f"YAML reads {raw} as {str(value).lower()}", quoted if kind == "string_type" else remedy
    if ":" in raw:
        first, second, *_ = raw.split(":")
        units = f"write it with units, such as {first}m{second}s"
        told = units if kind == "duration" else f'write "{raw}" in quotes'
        return f"YAML reads {raw} as the number {value}", told
    return (f"YAML reads {raw} as a number", quoted) if kind == "string_type" else (problem, remedy)


def _missing(_: ErrorDetails, path: Path) -> tuple[str, str]:
    return "is missing", f"add `{path[-1]}:`"


def _instead(name: str, known: tuple[str, ...]) -> str:
    if _SECRET_NAMES.search(name):
        return _NAME_THE_STORE
    if near := difflib.get_close_matches(name, known, n=1, cutoff=0.6):
        return f"did you mean `{near[0]}`?"
    return f"remove it; known here: {', '.join(known)}" if known else "remove it"


def _choice(error: ErrorDetails, _: Path) -> tuple[str, str]:
    expected = str(error.get("ctx", {}).get("expected", ""))
    options = re.findall(r"'([^']*)'", expected) or [expected]
    near = difflib.get_close_matches(str(error["input"]), options, n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]}? one of {', '.join(options)}" if near else f"write {_one_of(options)}"
    return f"{_shown(error['input'])} is not one of the choices", remedy


def _one_of(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"one of {', '.join(options)}"


def _section(error: ErrorDetails, _: Path) -> tuple[str, str]:
    if error["input"] is None:
        return "is empty", "fill it, or remove the line"
    return "must be a section", "write its settings as `name: value`, indented, in the lines below"


def _list(error: ErrorDetails, _: Path) -> tuple[str, str]:
    if error["input"] is None:
        return "is empty", "list something, write [] for nothing, or remove the line"
    return "must be a list", "write each entry in a line of its own that begins with a dash"


def _kind(what: str, example: str) -> Callable[[ErrorDetails, Path], tuple[str, str]]:
    def told(error: ErrorDetails, _: Path) -> tuple[str, str]:
        if error["input"] is None:
            return "is empty", f"write {what}, such as {example}, or remove the line"
        return f"must be {what}", f"write {what}, such as {example}"

    return told


def _limit(word: str) -> Callable[[ErrorDetails, Path], tuple[str, str]]:
    def told(error: ErrorDetails, _: Path) -> tuple[str, str]:
        bound = next(iter(error.get("ctx", {}).values()))
        text = duration_text(bound) if isinstance(bound, timedelta) else str(bound)
        return f"{_shown(error['input'])} is out of range", f"write {word} {text}"

    return told


def _length(problem: str, word: str, what: str) -> Callable[[ErrorDetails, Path], tuple[str, str]]:
    def told(error: ErrorDetails, _: Path) -> tuple[str, str]:
        context = error.get("ctx", {})
        bound = context.get("min_length", context.get("max_length"))
        return problem, f"write {word} {bound} {what}"

    return told


def _other(error: ErrorDetails, _: Path) -> tuple[str, str]:
    return "is not allowed here", f"{error['msg'][0].lower()}{error['msg'][1:]}"


def _shown(value: object) -> str:
    """A value as the file would have it, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= 40 else f"{text[:37]}…"


_EXPLAIN: dict[str, Callable[[ErrorDetails, Path], tuple[str, str]]] = {
    "missing": _missing,
    "enum": _choice,
    "literal_error": _choice,
    "model_type": _section,
    "dict_type": _section,
    "tuple_type": _list,
    "string_type": _kind("a text", '"ledger"'),
    "int_type": _kind("a whole number", "12"),
    "int_from_float": _kind("a whole number", "12"),
    "float_type": _kind("a number", "0.5"),
    "finite_number": _kind("a number", "0.5"),
    "bool_type": _kind("true or false", "true"),
    "date_type": _kind("a date", "2026-12-15"),
    "date_parsing": _kind("a date", "2026-12-15"),
    "date_from_datetime_parsing": _kind("a date", "2026-12-15"),
    "greater_than": _limit("more than"),
    "greater_than_equal": _limit("at least"),
    "less_than": _limit("less than"),
    "less_than_equal": _limit("at most"),
    "string_too_short": _length("is too short", "at least", "letter(s)"),
    "string_too_long": _length("is too long", "at most", "letters"),
    "too_short": _length("has too few entries", "at least", "of them"),
    "too_long": _length("has too many entries", "at most", "of them"),
}
