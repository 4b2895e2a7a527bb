"""`crossfade shadow compare`: recorded answers of control and candidate, field by field."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer
from rich.text import Text

from crossfade.cli.compared import as_json, tell
from crossfade.cli.migration_file import complain_of
from crossfade.cli.output import Exit, answer, people
from crossfade.model.file.texts import SecretReference
from crossfade.model.file.tree import MAX_BYTES
from crossfade.shadow import Comparer, Comparison, FieldVerdict, Masker, PairFault, ShadowSettings, read_pair
from crossfade.shadow.settings import read_settings
from crossfade.shadowing.masks import MaskKeyUnusable, mask_key

MAX_LINE_BYTES = 64_000_000
_TOO_LONG = (PairFault(place="", problem="is longer than 64 MB", remedy="leave such answers out"),)

shadow = typer.Typer(help="Compare what two systems answer to the same requests.", no_args_is_help=True)


@shadow.callback()
def _group() -> None:
    """Without this, the only command of the group would be the group."""


@shadow.command()
def compare(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS", help="JSON Lines; - is standard input.")],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings of the comparison, YAML.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object as the last line of stdout, also on a terminal.")
    ] = False,
) -> None:
    """Compare recorded answers and tell, field by field, regression from noise.

    Each line is {"id", "control": {"status", "headers", "body", "ms"}, "candidate": {…}, "control_again"?: {…}}; a
    second answer of the control is what noise is known from. Values are shown masked only. The last line of stdout is
    one JSON object. A fault in any line is told with its number, and then there is no result, with exit code 2.

    Exit code 0: nothing differs beyond noise; 10: some field does, or it is not clear; 2: bad lines or settings.

    Example: crossfade shadow compare --config examples/shadow/compare.yaml examples/shadow/pairs.jsonl
    """
    settings = _settings(config)
    comparer = Comparer(settings, Masker(key=_key(settings.mask_key)))
    with _opened(pairs) as file:
        faulty = _compared(file, comparer, pairs)
    if faulty:
        count = "1 line" if faulty == 1 else f"{faulty:,} lines"
        _stop(
            f"{count} of {pairs} cannot be used, so there is no result", "Correct what is named above, or record anew."
        )
    result = comparer.result()
    tell(result)
    if json or not sys.stdout.isatty():
        answer(as_json(result))
    if not _is_clean(result):
        raise typer.Exit(Exit.ENDED_OTHERWISE)


def _compared(file: BinaryIO, comparer: Comparer, path: Path) -> int:
    """How many lines are faulty; each is told as it comes, so that no number of them fills the memory."""
    faulty = 0
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        pair = read_pair(line) if len(line) <= MAX_LINE_BYTES else _TOO_LONG
        if isinstance(pair, tuple):
            faulty += 1
            for fault in pair:
                _complain_of(fault, number, path)
        elif not faulty:
            comparer.add(pair, number)
    return faulty


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines, each in one piece; of one that is too long only its beginning."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 1)


def _complain_of(fault: PairFault, line: int, path: Path) -> None:
    place = f"  {fault.place}" if fault.place else ""
    people.print(
        Text.assemble((f"{path}:{line}", "bold"), f"{place}  ", (fault.problem, "red"), f" — {fault.remedy}"),
        soft_wrap=True,
    )


def _is_clean(result: Comparison) -> bool:
    return result.pairs > 0 and result.worst in {None, FieldVerdict.NOISE}


def _settings(path: Path | None) -> ShadowSettings:
    if path is None:
        return ShadowSettings()
    with _opened(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        _stop(f"{path} is larger than 1 MB", "A comparison needs a few lines of settings.")
    try:
        found = read_settings(content.decode(), path.name)
    except UnicodeDecodeError as exc:
        _stop(f"{path} is not UTF-8 text at byte {exc.start + 1}", "Save it as UTF-8.")
    if isinstance(found, tuple):
        complain_of(found, path)
        raise typer.Exit(Exit.BAD_INPUT)
    return found


def _key(reference: SecretReference | None) -> bytes:
    """The key of the masks. It is never said, nor is any part of it."""
    try:
        return mask_key(reference)
    except MaskKeyUnusable as unusable:
        _stop(str(unusable), unusable.remedy)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as exc:
        _stop(f"{path} cannot be read: {exc.strerror}", "Check the path and its permissions.")
    with file:
        yield file


def _stop(problem: str, remedy: str) -> NoReturn:
    people.print(Text.assemble(("✗ ", "bold red"), problem), soft_wrap=True)
    people.print(Text.assemble(("  → ", "dim"), remedy), soft_wrap=True)
    raise typer.Exit(Exit.BAD_INPUT)
