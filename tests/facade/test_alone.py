"""An application that takes the facade takes nothing else."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
before = set(sys.modules)
import {module}
tops = {{name.split(".")[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names)
ours = {{name for name in sys.modules if name.startswith("crossfade.") and not name.startswith("crossfade.facade")}}
print(json.dumps([sorted(tops), sorted(ours)]))
"""


def imported_with(module: str) -> list[list[str]]:
    program = PROGRAM.format(module=module)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_the_facade_imports_the_standard_library_alone() -> None:
    assert imported_with("crossfade.facade") == [["crossfade"], []]


def test_its_flags_and_provider_import_openfeature_alone() -> None:
    for module in ("openfeature_flags", "provider"):
        assert imported_with(f"crossfade.facade.{module}") == [["crossfade", "openfeature"], []]
