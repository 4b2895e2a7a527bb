"""Requests until half of the rollouts are aborted, by regression and rule, against the oracle."""

import math
from collections.abc import Sequence

from benchmarks.against_peers import OURS
from benchmarks.cases import LADDER
from benchmarks.plots.results import PLAIN, Results
from benchmarks.plots.svg import Picture
from tests.judge.scenarios import REQUESTS

LATENCY = ("latency +10 %", "latency +20 %", "latency +50 %")
ERRORS = ("errors 0.1 % → 0.5 %", "errors 0.1 % → 1 %", "errors 0.1 % → 2 %")
OF_LATENCY = (OURS, "mSPRT, pooled", "Mann-Whitney, p < 0.05 each step", "Mann-Whitney, Bonferroni", "Kayenta's judge",
              "p95 ratio over 1.2")  # fmt: skip
OF_ERRORS = (OURS, "Fisher, Bonferroni", "Kayenta's judge", "burn rate 10x, one minute")
DECADES = (100, 1_000, 10_000, 100_000)
NAMES, AXIS, GAP = 196.0, 234.0, 496.0
ROW, HEAD = 26.0, 64.0
LAST = REQUESTS * len(LADDER)


def picture(results: Results) -> Picture:
    heights = [HEAD + ROW * len(rules) + 44 for rules in (OF_LATENCY, OF_ERRORS)]
    drawn = Picture(
        title="Requests until a regression is found at the 5 % step, by rule, against the oracle",
        summary=" ".join(_said(results, case) for case in (*LATENCY, *ERRORS)),
        height=3 * max(heights) + 62,
    )
    for column, (regressions, rules) in enumerate(((LATENCY, OF_LATENCY), (ERRORS, OF_ERRORS))):
        for row, case in enumerate(regressions):
            _panel(drawn, results, case, rules, at=(20 + GAP * column, 20 + max(heights) * row))
    key = drawn.height - 36
    drawn.dot(30, key - 5, "ours")
    drawn.text(44, key, "median", "quiet")
    drawn.dot(130, key - 5, "bad", hollow=True)
    what = "of a rule that cries wolf: it surely aborts more than 5 % of healthy rollouts, or of those that meet"
    drawn.text(144, key, what, "quiet")
    drawn.text(144, key + 19, "a common incident, a day's load or 5 % noise", "quiet")
    return drawn


def _panel(drawn: Picture, results: Results, case: str, rules: Sequence[str], *, at: tuple[float, float]) -> None:
    left, top = at
    axis, bottom = left + NAMES, top + HEAD + ROW * len(rules)
    drawn.text(left, top + 16, case, "ink strong")
    for decade in DECADES:
        x = axis + _place(decade)
        drawn.line(x, top + HEAD - 12, x, bottom, "grid")
        drawn.text(x, bottom + 20, f"{decade:,}", "quiet", anchor="middle")
    oracle = axis + _place(results.oracle(case))
    drawn.line(oracle, top + HEAD - 18, oracle, bottom, "axis dashed")
    drawn.text(oracle, top + HEAD - 24, f"oracle {results.oracle(case):,.0f}", "quiet", anchor="middle")
    for row, rule in enumerate(rules):
        y = top + HEAD + ROW * row + 10
        name = PLAIN[rule]
        drawn.text(axis - 10, y + 5, name, "ours strong" if rule == OURS else "ink", anchor="end")
        requests = results.requests(case, rule)
        if requests is None:
            drawn.text(axis + AXIS + 8, y + 5, f"not by {LAST:,}", "quiet halo", anchor="end")
            continue
        bad = results.cries_wolf(rule)
        look = "ours" if rule == OURS else "bad" if bad else "other"
        x = axis + _place(requests)
        drawn.dot(x, y, look, hollow=bad)
        said, beside = f"{requests:,.0f}", x < axis + 0.8 * AXIS
        drawn.text(
            x + 13 if beside else x - 13,
            y + 5,
            said,
            f"{'quiet' if bad else 'ink'} halo",
            anchor="start" if beside else "end",
        )


def _place(requests: float) -> float:
    return AXIS * (math.log10(requests) - 2) / 3


def _said(results: Results, case: str) -> str:
    found = results.requests(case)
    return f"{case}: the judge {'not' if found is None else f'{found:,.0f}'}, the oracle {results.oracle(case):,.0f}."
