"""`crossfade judge`: what the judge would have said to recorded observations."""

import json as json_lines
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.markup import escape

from crossfade import judge as judging
from crossfade.cli.observations import LineFault, RecordedRollout, read_observations
from crossfade.cli.output import Exit, complain, people
from crossfade.judge import Decision, JudgeSettings, JudgeSettingsInvalid, Metric

DEFAULTS = JudgeSettings()


class ConfigRecord(BaseModel):
    """Settings of the judge as a file; what is left out has its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metrics: tuple[Metric, ...] | None = None
    alpha: float = DEFAULTS.alpha
    promotion_alpha: float = DEFAULTS.promotion_alpha
    latency_margin: float = DEFAULTS.latency_margin
    latency_allowance_ms: float = DEFAULTS.latency_allowance_ms
    latency_tolerance: float = DEFAULTS.latency_tolerance
    error_tolerance: float = DEFAULTS.error_tolerance
    error_rate_limit: float = DEFAULTS.error_rate_limit
    minimum_requests: int = DEFAULTS.minimum_requests
    sticky_users: int = DEFAULTS.sticky_users

    def settings(self, metrics: tuple[Metric, ...]) -> JudgeSettings:
        """Metrics that the file does not name are those that the observations bring."""
        told = self.model_dump(exclude={"metrics"})
        return JudgeSettings(metrics=self.metrics if self.metrics is not None else metrics, **told)


def judge(
    observations: Annotated[Path, typer.Argument(metavar="OBSERVATIONS", help="JSON Lines; - is standard input.")],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings of the judge, YAML.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Accepted; the answer is JSON Lines anyway.")] = False,  # noqa: ARG001 - every command knows it
) -> None:
    """Judge recorded observations: a verdict for each look, as JSON Lines.

    {"rollout": ID} starts anew; every other line is a look: {"step": 1, "share": 0.05, "seconds": 60,
    "baseline": {"requests": 950, "errors": 1, "latency_ms": {"edges": [10, 20], "counts": [700, 200, 50]}},
    "canary": {…}}, counts of that look alone. After an abort the rest of that rollout is not judged.
    A fault in any line is told before anything is judged, all of them together, with exit code 2.

    Example: crossfade judge --config judge.yaml observations.jsonl
    """
    settings = _config(config)
    rollouts, faults = _observations(observations)
    if faults:
        _complain_of(faults, observations)
    if any(rollout.conversions for rollout in rollouts):
        people.print("[yellow]![/] conversions were read but are not judged yet: only errors and latency are")
    for rollout in rollouts:
        for line in verdicts(rollout, settings.settings(rollout.metrics)):
            print(json_lines.dumps(line, ensure_ascii=False))


def verdicts(rollout: RecordedRollout, settings: JudgeSettings) -> Iterator[dict[str, Any]]:
    """A line for each look, up to and with an abort."""
    state = judging.begin(settings)
    for number, look in enumerate(rollout.looks, start=1):
        state, verdict = judging.judge(state, look, settings)
        yield {
            "rollout": rollout.rollout,
            "look": number,
            "step": look.step,
            "verdict": verdict.decision.value,
            "metric": verdict.metric,
            "e_value": verdict.e_value,
            "threshold": verdict.threshold,
            "reason": verdict.reason,
        }
        if verdict.decision is Decision.ABORT:
            return


def _observations(path: Path) -> tuple[tuple[RecordedRollout, ...], tuple[LineFault, ...]]:
    if str(path) == "-":
        return read_observations(sys.stdin.buffer)
    with _opened(path) as file:
        return read_observations(file)


def _config(path: Path | None) -> ConfigRecord:
    if path is None:
        return ConfigRecord()
    with _opened(path) as file:
        content = file.read()
    try:
        config = ConfigRecord.model_validate(yaml.safe_load(content) or {})
        config.settings(DEFAULTS.metrics)
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        _stop(f"{path} is not YAML: {' '.join(str(exc).split())}", "Write lines such as 'alpha: 0.05'.")
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in error["loc"])
            people.print(
                f"[bold]{escape(str(path))}[/]  {escape(place)}  [red]{escape(error['msg'])}[/]", soft_wrap=True
            )
        _stop(f"{path} cannot be used", f"Known settings: {', '.join(ConfigRecord.model_fields)}.")
    except JudgeSettingsInvalid as exc:
        complain(exc)
        raise typer.Exit(Exit.BAD_INPUT) from exc
    return config


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (OSError, ValueError) as exc:  # ValueError: a null character in the path
        _stop(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}", "Check the path and its permissions.")


def _complain_of(faults: tuple[LineFault, ...], path: Path) -> None:
    for fault in faults:
        place = f"  {escape(fault.place)}" if fault.place else ""
        people.print(
            f"[bold]{escape(str(path))}:{fault.line}[/]{place}  [red]{escape(fault.problem)}[/]", soft_wrap=True
        )
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    _stop(f"{count} in {path}; nothing was judged", "Correct these lines; `crossfade judge --help` shows their form.")


def _stop(problem: str, remedy: str) -> NoReturn:
    people.print(f"[bold red]✗[/] {escape(problem)}", soft_wrap=True)
    people.print(f"  [dim]→[/] {escape(remedy)}", soft_wrap=True)
    raise typer.Exit(Exit.BAD_INPUT)
