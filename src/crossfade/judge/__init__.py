"""The judge: is the canary worse than the baseline? Sequential, valid however often one looks. Pure.

`begin` and `judge` fold looks at both arms into a verdict; `check_guards` holds the canary to absolute limits.
docs/judge.md explains the method.
"""

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
from crossfade.judge.judgement import begin, judge
from crossfade.judge.look import Look, LookInvalid
from crossfade.judge.settings import CountedMetric, JudgeSettings, JudgeSettingsInvalid, Metric
from crossfade.judge.state import JudgeState
from crossfade.judge.verdict import Decision, Verdict

__all__ = [
    "BurnLimit",
    "CountedMetric",
    "Decision",
    "GuardKind",
    "GuardLimits",
    "GuardLimitsInvalid",
    "GuardState",
    "GuardVerdict",
    "GuardWindow",
    "JudgeSettings",
    "JudgeSettingsInvalid",
    "JudgeState",
    "Look",
    "LookInvalid",
    "Metric",
    "Verdict",
    "WindowCounts",
    "begin",
    "check_guards",
    "guard_window",
    "judge",
]
