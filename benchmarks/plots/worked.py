"""What `crossfade judge` really answers to the examples, as tables for the document that explains them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from crossfade.cli.application import app

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "judge"
OBSERVATIONS, SETTINGS = EXAMPLE / "observations.jsonl", EXAMPLE / "judge.yaml"


class ExampleFailed(Exception):
    """The command refused the examples; its words are the message."""


def answers(*options: str) -> list[dict[str, Any]]:
    """The command's lines. Raises ExampleFailed."""
    result = CliRunner().invoke(app, ["judge", *options, str(OBSERVATIONS)])
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    if result.exit_code or not lines:
        raise ExampleFailed(result.output)
    return lines


def last_answers() -> str:
    """Of each rollout the last line, as a table, at the default settings."""
    rows = ["| rollout | look | verdict | metric | e-value | reason |\n| --- | --- | --- | --- | --- | --- |\n"]
    ends = {line["rollout"]: line for line in answers()}
    for name, line in ends.items():
        metric = line["metric"] or ""
        rows.append(
            f"| {name} | {line['look']} | {line['verdict']} | {metric} | {line['e_value']:.2g} | {line['reason']} |\n"
        )
    return "".join(rows)


def compared() -> str:
    """When each rollout is first promoted and when it is aborted, at the default settings and at the example's."""
    rows = ["| rollout | at the default settings | with judge.yaml |\n| --- | --- | --- |\n"]
    usual, strict = (dict(_courses(answers(*options))) for options in ((), ("--config", str(SETTINGS))))
    rows += [f"| {name} | {usual[name]} | {strict[name]} |\n" for name in usual]
    return "".join(rows)


def _courses(lines: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(line["rollout"] for line in lines):
        verdicts = {line["look"]: line["verdict"] for line in lines if line["rollout"] == name}
        told = [
            f"{said} at look {min(at for at, verdict in verdicts.items() if verdict == wanted)}"
            for wanted, said in (("promote", "promotable"), ("abort", "aborted"))
            if wanted in verdicts.values()
        ]
        yield name, ", then ".join(told) or f"holds through look {max(verdicts)}"
