"""`crossfade judge`: what the judge would have said to recorded observations."""

import json as json_lines
import math
import sys
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer
import yaml
from pydantic import ValidationError
from rich.markup import escape

from crossfade import judge as judging
from crossfade.cli.judge_config import JudgeConfig
from crossfade.cli.observations import LineFault, RecordedRollout, read_observations
from crossfade.cli.output import Exit, complain, people
from crossfade.judge import (
    Beside,
    Comparison,
    Decision,
    GuardLimits,
    GuardLimitsInvalid,
    GuardState,
    GuardVerdict,
    Interval,
    JudgeSettings,
    JudgeSettingsInvalid,
    Look,
    Metric,
)
from crossfade.model.errors import CrossfadeError

Answer = dict[str, Any]


def judge(
    observations: Annotated[Path, typer.Argument(metavar="OBSERVATIONS", help="JSON Lines; - is standard input.")],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings of the judge, YAML.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Tell with each look how much worse each metric is, with intervals.")
    ] = False,
    beside: Annotated[
        bool,
        typer.Option("--beside", help="Tell what Mann-Whitney and a score like Kayenta's say; neither decides."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Accepted; the answer is JSON Lines anyway.")] = False,  # noqa: ARG001 - every command knows it
) -> None:
    """Judge recorded observations: a verdict for each look, as JSON Lines.

    {"rollout": ID} starts anew; every other line is a look: {"step": 1, "share": 0.05, "seconds": 60,
    "baseline": {"requests": 950, "errors": 1, "latency_ms": {"edges": [10, 20], "counts": [700, 200, 50]}},
    "canary": {…}}, counts of that look alone. An arm may also have "users_with_errors", "conversions" (of its
    requests) and "counted": {"orders": {"good": 37, "total": 40}}. After an abort the rest of that rollout is not
    judged. A fault in any line is told before anything is judged, all of them together, with exit code 2.

    Example: crossfade judge --config judge.yaml observations.jsonl
    """
    settings = _config(config)
    rollouts, faults = _observations(observations)
    if faults:
        _complain_of(faults, observations)
    limits = settings.guards.limits() if settings.guards else None
    for rollout in rollouts:
        for line in verdicts(rollout, settings.settings(rollout.metrics), limits, compare=compare, beside=beside):
            print(json_lines.dumps(line, ensure_ascii=False))


def verdicts(
    rollout: RecordedRollout,
    settings: JudgeSettings,
    limits: GuardLimits | None = None,
    *,
    compare: bool = False,
    beside: bool = False,
) -> Iterator[Answer]:
    """A line for each look, up to and with an abort, by the judge or by a guard; that one always tells how much worse.

    Windows of guards begin anew with each step.
    """
    state = judging.begin(settings)
    recent: deque[Look] = deque()
    in_step: list[Look] = []
    for number, look in enumerate(rollout.looks, start=1):
        state, verdict = judging.judge(state, look, settings)
        line: Answer = {
            "rollout": rollout.rollout,
            "look": number,
            "step": look.step,
            "verdict": verdict.decision.value,
            "metric": verdict.metric,
            "e_value": verdict.e_value,
            "threshold": verdict.threshold,
            "reason": verdict.reason,
        }
        if limits is not None:
            _remember(recent, look, limits)
            line |= _guarded(judging.check_guards(judging.guard_window(tuple(recent), limits), limits), line)
        if beside:
            in_step = [look] if not in_step or in_step[-1].step != look.step else [*in_step, look]
            line["beside"] = _told(judging.beside(in_step))
        aborted = line["verdict"] == Decision.ABORT
        if compare or aborted:
            line |= _compared(judging.compare(state, settings))
        yield line
        if aborted:
            return


def _remember(recent: deque[Look], look: Look, limits: GuardLimits) -> None:
    """The looks that the longest window holds, of one step."""
    if recent and recent[-1].step != look.step:
        recent.clear()
    recent.append(look)
    while sum((each.duration for each in recent), timedelta(0)) > limits.windows[-1] and len(recent) > 1:
        recent.popleft()


def _guarded(guard: GuardVerdict, line: Answer) -> Answer:
    """What guards add: their finding, and an abort where one is breached and the judge has not aborted itself."""
    found: Answer = {"guard": {"state": guard.state.value, "limit": guard.guard, "reason": guard.reason}}
    if guard.state is GuardState.BREACHED and line["verdict"] != Decision.ABORT:
        found |= {"verdict": Decision.ABORT.value, "metric": guard.guard, "reason": guard.reason}
    return found


def _told(said: Beside) -> Answer:
    """What the usual rules say; None where there are no data for it."""
    classified = {name: each.value for name, each in said.classified.items()}
    return {"slower_p": said.slower_p, "score": said.score, "classified": classified}


def _compared(comparison: Comparison) -> Answer:
    metrics = {
        metric.name: {
            "e_value": metric.e_value,
            "threshold": metric.threshold,
            "alpha": metric.alpha,
            "ratio": _interval(metric.ratio),
        }
        for metric in comparison.metrics
    }
    quantiles = {
        f"p{100 * each.quantile:g}": {
            "baseline_ms": _interval(each.baseline_ms),
            "canary_ms": _interval(each.canary_ms),
            "ratio": _interval(each.ratio),
        }
        for each in comparison.quantiles
    }
    return {"confidence": comparison.confidence, "metrics": metrics, "quantiles": quantiles}


def _interval(interval: Interval) -> dict[str, float | None]:
    """None stands for an end that is open, and for an estimate that nobody knows yet."""
    return {
        "estimate": interval.estimate if math.isfinite(interval.estimate) else None,
        "low": interval.low if interval.low > 0 else None,
        "high": interval.high if math.isfinite(interval.high) else None,
    }


def _observations(path: Path) -> tuple[tuple[RecordedRollout, ...], tuple[LineFault, ...]]:
    if str(path) == "-":
        return read_observations(sys.stdin.buffer)
    with _opened(path) as file:
        return read_observations(file)


def _config(path: Path | None) -> JudgeConfig:
    if path is None:
        return JudgeConfig()
    with _opened(path) as file:
        content = file.read()
    try:
        config = JudgeConfig.model_validate(yaml.safe_load(content) or {})
        _check(config)
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        _stop(f"{path} is not YAML: {' '.join(str(exc).split())}", "Write lines such as 'alpha: 0.05'.")
    except ValidationError as exc:
        for error in exc.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in error["loc"])
            people.print(
                f"[bold]{escape(str(path))}[/]  {escape(place)}  [red]{escape(error['msg'])}[/]", soft_wrap=True
            )
        _stop(f"{path} cannot be used", f"Known settings: {', '.join(JudgeConfig.model_fields)}.")
    return config


def _check(config: JudgeConfig) -> None:
    """Every fault of judge and guards, together."""
    faults: list[CrossfadeError] = []
    try:
        config.settings(tuple(Metric))
    except JudgeSettingsInvalid as exc:
        faults.append(exc)
    try:
        _ = config.guards and config.guards.limits()
    except GuardLimitsInvalid as exc:
        faults.append(exc)
    for fault in faults:
        complain(fault)
    if faults:
        raise typer.Exit(Exit.BAD_INPUT)


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
