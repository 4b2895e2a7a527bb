"""Tables of docs/judge.md from what benchmarks.judge, benchmarks.guards and benchmarks.judge_speed stored."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import guards, judge, judge_speed

# What the judge did before its three rules against lumps, in the same worlds; measured once, 60 rollouts each.
BEFORE = {
    "cold caches as each step begins": 90,
    "pauses of one look": 82,
    "bursts of ten by user, users not counted": 33,
    "5 % errors in bursts of ten, users not counted": 92,
    "latency doubled, arms one look apart": 22,
    "20 % errors, 100,000 a second, arms one look apart": 45,
}
WORLDS = {"bursts of ten by user, users not counted": "bursts of ten, users not counted"}  # called so in the results


def tables() -> dict[str, str]:
    """By their names in the document."""
    told, guarded, cost = (
        json.loads(module.RESULTS.read_text(encoding="utf-8")) for module in (judge, guards, judge_speed)
    )
    return {
        "lumps": lumps(guarded),
        "guards-healthy": wolves("healthy world", (*guarded["healthy"], *guarded["users_not_counted"])),
        "guards-incidents": wolves("common incident, from any moment on", guarded["common_incidents"]),
        "guards-damage": damage((*guarded["detection"], *guarded["detection_at_100000_a_second"])),
        "reached": found(told["detections"]),
        "oracle": beside_the_oracle(told["detections"]),
        "promotions": promotions(told["promotions"]),
        "ladders": ladders(told["ladders"]),
        "cost": costs(cost),
        "incident": after_an_incident(told["after_an_incident"]),
    }


def lumps(guarded: Mapping[str, Any]) -> str:
    """The judge's false aborts where failures come in lumps, before its rules against them and with these."""
    rows = {row["world"]: row for part in guarded.values() if isinstance(part, list) for row in part if "world" in row}
    now = ((world, before, rows[WORLDS.get(world, world)]["judge_percent"]) for world, before in BEFORE.items())
    return _table(
        ("world", "before", "now"), ((world, f"{before} %", f"{after:.0f} %") for world, before, after in now)
    )


def wolves(heading: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """False aborts by world: of the guards, of the judge, of both."""
    told = ("guards_percent", "judge_percent", "together_percent")
    cells = ((row["world"], *(_percent(row[name]) for name in told)) for row in rows)
    return _table((heading, "guards", "judge", "together"), cells)


def damage(rows: Sequence[Mapping[str, Any]]) -> str:
    """Looks until the guards find damage, in brackets until they or the judge do, by share."""
    found: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        cell = f"{_looks(row['median_looks'])} ({_looks(row['median_looks_with_judge'])})"
        found.setdefault((row["damage"], row["requests_a_look"]), []).append(cell)
    cells = ((name, f"{requests:,}", *told) for (name, requests), told in found.items())
    return _table(("damage", "requests a look", "5 %", "45 %", "90 %", "alone"), cells)


def found(rows: Sequence[Mapping[str, Any]]) -> str:
    """Median requests by regression, by size of a look and by whether a baseline was learnt; and how near the oracle.

    The ratios are those of the last column of requests.
    """
    by_name, heads = _by_regression(rows)
    cells = (
        (
            name,
            *(f"{row['median_requests']:,.0f}" for row in told),
            f"{told[-1]['oracle']:,}",
            f"{told[-1]['ratio']:.3g}",
            f"{told[-1]['ratio_at_the_metrics_alpha']:.3g}",
        )
        for name, told in by_name.items()
    )
    return _table(("regression", *heads, "bound", "ratio of the last", "at the metric's alpha"), cells)


def beside_the_oracle(rows: Sequence[Mapping[str, Any]]) -> str:
    """Mean requests of judge and oracle on the same looks, and their ratio, by regression and size of a look."""
    by_name, heads = _by_regression(rows)
    told = {
        name: [f"{row['mean_requests']:,} : {row['oracle_carried_out']:,} = **{row['ratio_to_it']}**" for row in each]
        for name, each in by_name.items()
    }
    return _table(("regression", *heads), ((name, *each) for name, each in told.items()))


def _by_regression(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, list[Mapping[str, Any]]], list[str]]:
    """The rows of each regression, and what they differ in."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["regression"].replace("->", "→"), []).append(row)
    first = next(iter(by_name.values()))
    return by_name, [f"{row['requests_a_look']}{', learnt' if row['baseline_before'] else ''}" for row in first]


def promotions(rows: Sequence[Mapping[str, Any]]) -> str:
    """Requests until the judge would promote."""
    told = ("median_requests", "ninetieth_percentile", "ninetyfifth_percentile")
    cells = ((row["case"], f"{100 * row['share']:.0f} %", *(f"{row[name]:,.0f}" for name in told)) for row in rows)
    return _table(("promotion, looks of 150", "share", "median requests", "90 %", "95 %"), cells)


def ladders(rows: Sequence[Mapping[str, Any]]) -> str:
    """How whole rollouts end."""
    told = ("completed_percent", "aborted_percent", "ended_at_or_below_45_percent")
    cells = ((row["case"], *(f"{row[name]:.1f} %" for name in told), f"{row['median_requests']:,.0f}") for row in rows)
    return _table(("canary", "completed", "aborted", "at or below 45 %", "median requests"), cells)


def costs(told: Mapping[str, Any]) -> str:
    """What a look costs, in a sentence."""
    look, file = told["look"], told["file"]
    return (
        f"{look['mean_us']:.0f} microseconds of processor time a look in the mean, {look['median_us']:.0f} in the "
        f"median, of {told['looks']:,} looks of {told['bins']} bins, fits of bets included, whatever the number of "
        f"requests; `--compare` adds {look['compare_us']:.0f}. `crossfade judge` reads, judges and answers "
        f"{file['looks_per_second']:,} such looks a second, {file['times_a_bare_json_parse']:.2g} times the time in "
        f"which Python parses the same JSON and does nothing with it.\n"
    )


def after_an_incident(rows: Sequence[Mapping[str, Any]]) -> str:
    """What a regression costs that begins when a common incident ends, in a sentence."""
    told = " and ".join(f"{row['regression']} after {row['median_requests']:,.0f} requests" for row in rows)
    return f"Right after a common incident of 20 looks the judge finds {told} (medians at 5 %).\n"


def _percent(rate: float) -> str:
    return f"{rate:.1f} %" if rate else "0 %"


def _looks(median: float | None) -> str:
    return "never" if median is None else f"{median:.0f}"


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
