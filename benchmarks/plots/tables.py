"""Tables of measured numbers for documents."""

import math
from itertools import pairwise

from benchmarks.cases import WORSE
from benchmarks.plots.limits import ERRORS, LATENCY
from benchmarks.plots.results import PROMISED, Results

TRAFFIC = {
    "10 a minute": 10 / 60,
    "1 a second": 1.0,
    "10 a second": 10.0,
    "100 a second": 100.0,
    "1,000 a second": 1000.0,
}
TIMES = {"15 minutes": 900.0, "an hour": 3600.0, "a day": 86_400.0}


def within_promise(results: Results) -> str:
    """Whether every scenario that is promised stays at 5 %, as a sentence's part."""
    above = [case for case in PROMISED if results.rate(case).low > 5]
    unsure = [case for case in PROMISED if results.rate(case).low <= 5 < results.rate(case).high]
    if above:
        return f"surely above 5 %: {'; '.join(f'*{case}*' for case in above)}"
    return (
        "everywhere surely below 5 %"
        if not unsure
        else f"not surely below 5 %: {'; '.join(f'*{case}*' for case in unsure)}"
    )


def sizes(results: Results) -> str:
    """Requests by the size of a regression."""
    head = "| regression | found in half | in 9 of 10 | of them the canary's, at 5 % |\n| --- | --- | --- | --- |\n"
    rows = []
    for case in (*LATENCY, *ERRORS):
        median, late = results.requests(case), results.requests(case, quantile="ninetieth")
        canary = "" if median is None else f"{0.05 * median:,.0f}"
        rows.append(f"| {case} | {_number(median)} | {_number(late)} | {canary} |\n")
    return head + "".join(rows)


def detected(results: Results) -> list[dict[str, str]]:
    """For each regression: requests until half and nine tenths are found, beside the oracles."""
    return [
        {
            "case": case,
            "half": _number(results.requests(case)),
            "most": _number(results.requests(case, quantile="ninetieth")),
            "oracle": f"{results.oracle(case):,.0f}",
            "labels": f"{results.label_oracle(case):,.0f}",
            "ratio": "" if (half := results.requests(case)) is None else f"{half / results.oracle(case):.2g}",
        }
        for case in WORSE
    ]


def found_within(results: Results) -> str:
    """The smallest slowdown and rise of errors that half of the rollouts find, by traffic and time."""
    rows = [f"| requests of both arms | {' | '.join(TIMES)} |\n| --- |{' --- |' * len(TIMES)}\n"]
    for name, a_second in TRAFFIC.items():
        cells = (
            f"{_least(results, LATENCY, a_second * seconds, '+{} %')}; "
            f"{_least(results, ERRORS, a_second * seconds, '{} ×')}"
            for seconds in TIMES.values()
        )
        rows.append(f"| {name} | {' | '.join(cells)} |\n")
    return "".join(rows)


def _least(results: Results, cases: dict[str, int], requests: float, said: str) -> str:
    """The smallest size found in half of rollouts with so many requests, between those measured by interpolation."""
    known = [(float(size), found) for case, size in cases.items() if (found := results.requests(case)) is not None]
    if requests < known[-1][1]:
        return "nothing"
    if requests >= known[0][1]:
        return said.format(f"{known[0][0]:g}")
    for (small, many), (large, few) in pairwise(known):
        if few <= requests < many:
            part = math.log(many / requests) / math.log(many / few)
            return said.format(f"{math.exp(math.log(small) + part * math.log(large / small)):.2g}")
    return said.format(f"{known[-1][0]:g}")


def _number(requests: float | None) -> str:
    return "not in 119,520" if requests is None else f"{requests:,.0f}"
