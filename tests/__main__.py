"""Every check of the project, in one command: `make test`.

What fails fast comes first. Two tests run at a time, and three rehearsals, which mostly wait: on two cores the judges
of further ones would take each other's load for faults.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

CHECKS: tuple[tuple[str, list[str]], ...] = (
    ("format", ["ruff", "format", "--check", "--quiet", "."]),
    ("lint", ["ruff", "check", "--quiet", "."]),
    ("types", ["mypy", "--no-error-summary"]),
    ("import contract", ["lint-imports", "--no-logo"]),
    ("tests without parts", ["pytest", "-m", "not parts and not rehearsal", "-n", "2"]),
    ("tests with real parts", ["pytest", "-m", "parts", "-n", "2", "--dist", "loadfile"]),
    ("whole rehearsals", ["pytest", "-m", "rehearsal", "-n", "3"]),
)


def main() -> int:
    failed: list[str] = []
    for name, (program, *arguments) in CHECKS:
        print(f"── {name}", flush=True)
        began = time.monotonic()
        code = subprocess.run([str(BIN / program), *arguments], cwd=ROOT, check=False).returncode
        print(f"   {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
        if code != 0:
            failed.append(name)
    print("every check passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
