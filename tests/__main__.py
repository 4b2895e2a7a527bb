"""Every check of the project, in one command: `make test`.

What fails fast comes first. Two tests run at a time, with the types beside those that start nothing, and three
rehearsals, which mostly wait: on two cores the judges of further ones would take each other's load for faults.

Their files are kept in memory where there is room. Nobody pulls the plug on a test, and databases that wait for a disk
took up to four fifths of its time. What a test leaves that failed is moved to where temporary files are.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

Check = tuple[str, list[str]]
CHECKS: tuple[tuple[Check, ...], ...] = (
    (("format", ["ruff", "format", "--check", "--quiet", "."]),),
    (("lint", ["ruff", "check", "--quiet", "."]),),
    (("import contract", ["lint-imports", "--no-logo"]),),
    (
        ("types", ["mypy", "--no-error-summary"]),
        ("tests without parts", ["pytest", "-m", "not parts and not rehearsal", "-n", "2"]),
    ),
    (("tests with real parts", ["pytest", "-m", "parts", "-n", "2", "--dist", "loadfile"]),),
    (("whole rehearsals", ["pytest", "-m", "rehearsal", "-n", "3"]),),
)
"""Those of a group run side by side."""


MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # a folder of its own is made there, for this user alone


def main() -> int:
    failed: list[str] = []
    with files_of_tests() as files:
        for number, group in enumerate(CHECKS):
            failed += failing(group, files and files / str(number))
        if failed and files is not None and any(files.iterdir()):
            print(f"what they left: {kept(files)}")
    print("every check passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


@contextmanager
def files_of_tests() -> Iterator[Path | None]:
    """A folder in memory, gone afterwards; None where there is no room, and pytest takes the disk."""
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="crossfade-tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def kept(files: Path) -> Path:
    """A copy on disk of all that can be copied."""
    place = Path(tempfile.mkdtemp(prefix="crossfade-tests-"))
    with suppress(shutil.Error):  # sockets, and what goes away meanwhile
        shutil.copytree(files, place, symlinks=True, dirs_exist_ok=True)
    return place


def failing(group: tuple[Check, ...], files: Path | None) -> list[str]:
    """The names of the checks that fail, of a group whose tests keep their files there."""
    print(f"── {', '.join(name for name, _ in group)}", flush=True)
    began = time.monotonic()
    where = () if files is None else (f"--basetemp={files}",)
    running = [
        (name, subprocess.Popen([str(BIN / program), *words, *(where if program == "pytest" else ())], cwd=ROOT))
        for name, (program, *words) in group
    ]
    failed = []
    for name, process in running:
        passed = process.wait() == 0
        took = f"{time.monotonic() - began:.0f} s"
        print(f"   {'passed' if passed else 'FAILED'} in {took}: {name}", flush=True)
        if not passed:
            failed.append(name)
    return failed


if __name__ == "__main__":
    sys.exit(main())
