"""What Prometheus is asked. Each query answers with one number, or with nothing when there is too little to say it.

No traffic is an empty answer or NaN, never zero: whoever reads it must not take it for good. A counter that has not
counted yet is not there, so errors are 'or vector(0)', and requests are not.
"""

from dataclasses import dataclass

from crossfade.infra.kubernetes.arguments import CANARY, STABLE, said
from crossfade.model.file import MigrationFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Counts of one side over a window, each as an expression of one number."""

    requests: str
    errors: str
    p95: str
    """Seconds."""
    observations: str
    """How many durations the percentile stands on."""


def arms(file: MigrationFile, window: str) -> tuple[Arm, Arm]:
    """Canary and baseline over `window`, such as 300s or the place of an argument."""
    return _arm(file, CANARY, window), _arm(file, STABLE, window)


def error_rate(file: MigrationFile, window: str, limit: float) -> str:
    """The canary's errors per request.

    Below the minimum of requests: nothing. Below the minimum of errors: 0. Nothing as well where both sides are over
    `limit`: that is an incident, and no reason to go back or on.
    """
    canary, baseline = arms(file, window)
    guards = file.limits.guards
    rate = f"({canary.errors} / {canary.requests})"
    counted = f"({rate} * ({canary.errors} >= bool {guards.minimum_errors}))"
    return (
        f"(\n  {counted}\n  and on() ({canary.requests} >= {guards.minimum_requests})\n)\n"
        f"unless on() (\n  ({counted} > {limit:.10g})\n"
        f"  and on() (({baseline.errors} / {baseline.requests}) > {limit:.10g})\n)"
    )


def burn_rate(file: MigrationFile, window: str, max_burn_rate: float) -> str:
    """How many times too fast the error budget is used up. Source: SRE workbook, chapter 5."""
    budget = 1 - file.limits.burn_rate.objective_percent / 100
    return f"(\n{error_rate(file, window, budget * max_burn_rate)}\n) / {budget:.10g}"


def p95(file: MigrationFile, window: str) -> str:
    """The canary's 95th percentile in seconds; nothing below the minimum of requests."""
    canary, _ = arms(file, window)
    return f"{canary.p95}\nand on() ({canary.observations} >= {file.limits.guards.minimum_requests})"


def p95_ratio(file: MigrationFile, window: str) -> str:
    """The canary's 95th percentile by the baseline's; nothing while one of them has too few requests."""
    canary, baseline = arms(file, window)
    least = file.limits.judge.minimum_requests
    return (
        f"({canary.p95} / {baseline.p95})\n"
        f"and on() ({canary.observations} >= {least})\nand on() ({baseline.observations} >= {least})"
    )


def more_errors(file: MigrationFile, window: str) -> str:
    """By how many standard errors the canary's share of errors exceeds the baseline's."""
    canary, baseline = arms(file, window)
    return _excess(
        (canary.errors, canary.requests), (baseline.errors, baseline.requests), file.limits.judge.minimum_requests
    )


def fewer_good(file: MigrationFile, good: str, total: str) -> str:
    """By how many standard errors the baseline's share of good events exceeds the canary's.

    `{arm}` in both queries becomes the pod hash.
    """
    arm = {name: (_of(good, name), _of(total, name)) for name in (CANARY, STABLE)}
    return _excess(arm[STABLE], arm[CANARY], file.limits.judge.minimum_requests)


def _excess(first: tuple[str, str], second: tuple[str, str], least: int) -> str:
    """The first share less the second, in standard errors of that difference; nothing while one has too few.

    A success and a failure are added to each, so that no errors on either side are 0 and not NaN.
    Source: Agresti and Caffo, The American Statistician 54 (2000), 280-288.
    """
    one, other = _share(*first), _share(*second)
    variances = (f"{p} * (1 - {p}) / ({n} + 2)" for p, n in ((one, first[1]), (other, second[1])))
    return (
        f"(\n  ({one} - {other})\n  / sqrt({' + '.join(variances)})\n)\n"
        f"and on() ({first[1]} >= {least})\nand on() ({second[1]} >= {least})"
    )


def _share(events: str, total: str) -> str:
    return f"(({events} + 1) / ({total} + 2))"


def _of(query: str, argument: str) -> str:
    return f"({query.replace('{arm}', said(argument))})"


def _arm(file: MigrationFile, argument: str, window: str) -> Arm:
    wanted = file.kubernetes
    which = f'{wanted.arm_label}="{said(argument)}"'
    requests, latency = wanted.request_metric, wanted.latency_metric
    return Arm(
        requests=f"sum(increase({requests}{{{which}}}[{window}]))",
        errors=f'(sum(increase({requests}{{{which},status=~"5.."}}[{window}])) or vector(0))',
        p95=f"histogram_quantile(0.95, sum by (le) (rate({latency}_bucket{{{which}}}[{window}])))",
        observations=f"sum(increase({latency}_count{{{which}}}[{window}]))",
    )
