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


def test_the_program_ends_when_a_provider_and_a_candidate_hang() -> None:
    program = """
import threading
from datetime import timedelta
from crossfade.facade import Facade, FacadeSettings, InMemoryFlags, Mode, Rollout
hang, both = threading.Event(), threading.Barrier(3)
def hanging(*given):
    both.wait()
    hang.wait()
class Flags(InMemoryFlags):
    def rollout(self, flag):
        return super().rollout(flag) if flag == "sound" else hanging()
flags = Flags(sound=Rollout(mode=Mode.SHADOW))
facade = Facade(flags, settings=FacadeSettings(deadline=timedelta(milliseconds=1)))
facade.experiment("hung", legacy=str, modern=str, user=lambda user: user, side_effects=False)("x")
patient = Facade(flags, settings=FacadeSettings(deadline=timedelta(seconds=60)))
print(patient.experiment("sound", legacy=str, modern=hanging, user=lambda user: user, side_effects=False)("answered"))
both.wait()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("answered\n", "")
