"""One command loads no more than it needs; all of them are one program."""

import subprocess
import sys

import typer
from typer.main import get_command

from crossfade.cli.application import app
from crossfade.cli.commands import application


def names(program: typer.Typer) -> list[str]:
    group = get_command(program)
    assert isinstance(group, typer.core.TyperGroup)
    return list(group.commands)


def test_a_command_is_the_same_alone_and_among_all_others() -> None:
    everything = names(app)
    assert {"rehearse", "records", "map", "on-premises"} <= set(everything)
    for name in ("status", "records"):
        assert names(application(name)) == [name]
    for other in (None, "statu", "--help"):
        assert names(application(other)) == everything


def test_nothing_that_a_command_does_not_need_is_loaded() -> None:
    asked = "import sys; from crossfade.cli.commands import application; application('verify'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.split()
    assert "crossfade.cli.verify" in loaded
    assert {"crossfade.cli.status", "scipy", "openpyxl", "crossfade.engine"}.isdisjoint(loaded)
