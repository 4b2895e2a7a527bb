"""The stored results, as plots and pages ask for them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.against_peers import OURS, RESULTS
from benchmarks.cases import NOT_WORSE, Kind, cases, power_name

# Bursts that nobody counts by user, and a canary that alone is slow or fails for minutes.
NOT_PROMISED = (
    "errors in bursts, users not counted",
    "cold caches as each step begins",
    "pauses of one arm",
    "an incident, the canary first",
)
PROMISED = tuple(name for name in NOT_WORSE if name not in NOT_PROMISED)
SHORT = {
    OURS: ("the", "judge"),
    "Mann-Whitney, p < 0.05 each step": ("Mann-", "Whitney", "p < 0.05"),
    "Mann-Whitney, Bonferroni": ("Mann-", "Whitney", "Bonferroni"),
    "Kayenta's judge": ("Kayenta's", "judge"),
    "p95 ratio over 1.2": ("p95 ratio", "over 1.2"),
    "mSPRT, pooled": ("mSPRT,", "pooled"),
    "Fisher, Bonferroni": ("Fisher,", "Bonferroni"),
    "burn rate 10x, one minute": ("burn rate", "10x, one", "minute"),
}
PLAIN = {rule: " ".join(lines).replace("- ", "-") for rule, lines in SHORT.items()}
WOLF = ("healthy", "a common incident", "a day of load, latency and errors", "5 % noise between arms, by look")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many rollouts a rule aborted, in percent, and Wilson's 95 % interval."""

    percent: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Results:
    """The whole file."""

    told: dict[str, Any]
    rows: dict[str, dict[str, Any]]

    @property
    def rollouts(self) -> int:
        """Of each case; of the least, where they differ."""
        return min(int(row["rollouts"]) for row in self.rows.values())

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(SHORT)

    def rate(self, case: str, rule: str = OURS) -> Rate:
        told = self.rows[case]["rules"][rule]
        return Rate(told["percent"], *told["wilson_95"])

    def requests(self, case: str, rule: str = OURS, quantile: str = "median") -> float | None:
        """Requests of both arms until found; None where so many rollouts never were."""
        found = self.rows[case]["rules"][rule][f"{quantile}_requests"]
        return None if found is None else float(found)

    def oracle(self, case: str) -> float:
        return float(self.rows[case]["oracle_requests"])

    def label_oracle(self, case: str) -> float:
        return float(self.rows[case]["label_oracle_requests"])

    def cries_wolf(self, rule: str) -> bool:
        """Whether it surely aborts more than 5 % in one of the plainest worlds."""
        return any(self.rate(case, rule).low > 5 for case in WOLF)

    def powers(self, regression: str, shares: Sequence[float], rule: str) -> Iterator[float]:
        """Percent found within one step, by share."""
        for share in shares:
            yield self.rate(power_name(regression, share), rule).percent


class ResultsIncomplete(Exception):
    """Cases are missing: the benchmark was interrupted, or is older than its cases."""


def stored(path: Path = RESULTS) -> Results:
    """The results of the last run. Raises ResultsIncomplete where a case is missing."""
    told = json.loads(path.read_text(encoding="utf-8"))
    rows = {row["case"]: row for row in told["cases"]}
    missing = [case.name for case in cases() if case.name not in rows or Kind(rows[case.name]["kind"]) != case.kind]
    if missing:
        raise ResultsIncomplete(f"not measured yet: {', '.join(missing)}; run: python -m benchmarks.against_peers")
    return Results(told, rows)
