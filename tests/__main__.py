"""Every check of the project, in one command: `make test`.

What fails fast comes first. Two tests run at a time, with the types beside those that start nothing, and three
rehearsals, which mostly wait: on two cores the judges of further ones would take each other's load for faults.
"""

import subprocess
import sys
import time
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


def main() -> int:
    failed: list[str] = []
    for group in CHECKS:
        print(f"── {', '.join(name for name, _ in group)}", flush=True)
        began = time.monotonic()
        running = [
            (name, subprocess.Popen([str(BIN / program), *words], cwd=ROOT)) for name, (program, *words) in group
        ]
        for name, process in running:
            passed = process.wait() == 0
            took = f"{time.monotonic() - began:.0f} s"
            print(f"   {'passed' if passed else 'FAILED'} in {took}: {name}", flush=True)
            if not passed:
                failed.append(name)
    print("every check passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
