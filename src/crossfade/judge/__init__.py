"""The judge: is the canary worse than the baseline? Sequential, valid however often one looks. Pure.

`begin` and `judge` fold looks at both arms into a verdict; `check_guards` holds the canary to absolute limits.
docs/judge.md explains the method.
"""

from crossfade.judge.beside import Beside, Classified, beside
from crossfade.judge.comparison import Comparison, MetricComparison, compare
from crossfade.judge.guard_limits import BurnLimit, GuardLimits, GuardLimitsInvalid
from crossfade.judge.guards import (
    GuardKind,
    GuardState,
    GuardVerdict,
    GuardWindow,
    WindowCounts,
    check_guards,
    guard_window,
)
from crossfade.judge.intervals import Interval, QuantileComparison
from crossfade.judge.judgement import begin, judge
from crossfade.judge.look import Look, LookInvalid
from crossfade.judge.settings import CountedMetric, JudgeSettings, JudgeSettingsInvalid, Metric
from crossfade.judge.state import JudgeState
from crossfade.judge.verdict import Decision, Verdict

__all__ = [
    "Beside",
    "BurnLimit",
    "Classified",
    "Comparison",
    "CountedMetric",
    "Decision",
    "GuardKind",
    "GuardLimits",
    "GuardLimitsInvalid",
    "GuardState",
    "GuardVerdict",
    "GuardWindow",
    "Interval",
    "JudgeSettings",
    "JudgeSettingsInvalid",
    "JudgeState",
    "Look",
    "LookInvalid",
    "Metric",
    "MetricComparison",
    "QuantileComparison",
    "Verdict",
    "WindowCounts",
    "begin",
    "beside",
    "check_guards",
    "compare",
    "guard_window",
    "judge",
]
