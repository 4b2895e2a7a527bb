"""`crossfade simulate`: what it says, and to whom."""

import json

import pytest
from typer.testing import CliRunner

from crossfade.cli import simulate as command
from crossfade.cli.application import app
from crossfade.simulation.world import SimulatedWorld

CONTRACT = {"runs", "events", "crashes", "faults", "violations", "runs_per_second"}


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_counts_what_happened_when_no_rule_is_broken() -> None:
    code, out, err = invoke("--runs", "6", "--seed", "1", "--json")
    said = json.loads(out.splitlines()[-1])
    assert code == 0
    assert said.keys() >= CONTRACT
    assert (said["runs"], said["violations"]) == (6, [])
    assert sum(said["outcomes"].values()) == 6
    assert said["events"] > 200
    assert "no violations" in " ".join(err.split())


def test_it_shows_the_seed_and_the_rule_when_one_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimulatedWorld, "audit", lambda world: world.violated("planted", "it was lost"))
    code, out, err = invoke("--runs", "1", "--seed", "4", "--json")
    (found,) = json.loads(out.splitlines()[-1])["violations"]
    assert code == 10
    assert (found["seed"], found["rule"], found["what"]) == (4_000_000, "planted", "it was lost")
    assert found["history"]
    assert "seed 4000000: planted" in err


def test_it_shows_what_happened_when_a_seed_is_replayed() -> None:
    code, out, err = invoke("--replay", "1000001", "--json")
    assert code == 0
    assert "engine_started" in err
    assert json.loads(out)["seed"] == 1_000_001
    assert invoke("--replay", "1000001", "--json")[1] == out


def test_it_says_what_to_install_when_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    with pytest.raises(command.ExtraMissing) as missing:
        command.simulate(runs=1)
    assert "crossfade[simulation]" in missing.value.remedy
