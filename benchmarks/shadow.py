"""What shadow comparison costs beside deepdiff, what it finds, and how often it cries wolf beside the usual rule.

Run with `.venv/bin/python -m benchmarks.shadow`; results go to benchmarks/results/shadow.json. About five minutes of
one core; with names of parts (speed, verdicts, generated, live) only these are measured anew. deepdiff is for this
benchmark alone, so nothing else installs it:
`.venv/bin/python -m pip install --require-hashes -r requirements/benchmarks.txt`.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from deepdiff import DeepDiff
from tests.shadow.answers import answer
from tests.shadow.generated import RULES, control, drawn_body, equal, planted
from tests.shadow.test_evidence import drawn
from tests.shadowing.running import collected
from tests.traffic.users import Ask, Connection
from tests.waiting import wait_for

from crossfade.shadow import Comparer, FieldCounts, FieldTree, FieldVerdict, Masker, Rules, ShadowSettings, read_pair
from crossfade.shadow.answers import compare
from crossfade.shadow.evidence import log_e_regression, verdict

RESULTS = Path(__file__).parent / "results" / "shadow.json"
PAIRS, ROUNDS, OF_DEEPDIFF = 4000, 5, 100
GENERATED = 100_000
RUNS = 1000
LIVE_ROUNDS, LIVE_REQUESTS = 60, 100


def statement(rng: random.Random) -> dict[str, Any]:
    """An account's statement, about 2 KB of JSON with 138 values."""
    return {
        "account": {"id": rng.randrange(10**9), "holder": f"n{rng.randrange(10**6)}", "currency": "USD"},
        "at": f"2026-11-22T06:{rng.randrange(60):02}:00Z",
        "entries": [
            {
                "id": rng.randrange(10**6),
                "amount": round(rng.uniform(0, 1000), 2),
                "text": f"payment {number}",
                "booked": True,
                "tags": ["a", "b"],
                "note": None,
            }
            for number in range(19)
        ],
    }


def lines(as_text: bool) -> list[bytes]:
    """Pairs whose times always differ, and one amount in every tenth."""
    rng, made = random.Random(1), []
    for number in range(PAIRS):
        left = statement(rng)
        right = json.loads(json.dumps(left)) | {"at": f"2026-11-22T06:{rng.randrange(60):02}:01Z"}
        right["entries"][3]["amount"] += number % 10 == 0
        bodies = [json.dumps(body) if as_text else body for body in (left, right)]
        control, candidate = (answer(body) for body in bodies)
        made.append(json.dumps({"id": f"r{number}", "control": control, "candidate": candidate}).encode())
    return made


def ours(texts: list[bytes]) -> None:
    comparer = Comparer(ShadowSettings(), Masker(key=b"k" * 32))
    for number, text in enumerate(texts, start=1):
        pair = read_pair(text)
        assert not isinstance(pair, tuple)
        comparer.add(pair, number)
    result = comparer.result()
    assert {field.path: field.counts.differ for field in result.fields} == {
        "body.at": len(texts),
        "body.entries.*.amount": -(-len(texts) // 10),
    }


def deepdiffs(texts: list[bytes]) -> None:
    for text in texts:
        pair = json.loads(text)
        bodies = [pair[side]["body"] for side in ("control", "candidate")]
        assert DeepDiff(*(json.loads(body) if isinstance(body, str) else body for body in bodies))


def rate(work: Callable[[list[bytes]], None], texts: list[bytes]) -> float:
    """Pairs a second of processor time, parsing included: the median of some rounds."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work(texts)
        took.append(time.process_time() - began)
    return len(texts) / statistics.median(took)


def speed() -> dict[str, Any]:
    # Others on the same cores cost both the same part of their speed, through caches and clocks.
    told: dict[str, Any] = {"load_average_per_core": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)}
    for name, as_text in (("bodies as JSON", False), ("bodies as texts", True)):
        texts = lines(as_text)
        # In turns, so that what else this computer does weighs on both.
        own, theirs, again = rate(ours, texts), rate(deepdiffs, texts[:OF_DEEPDIFF]), rate(ours, texts)
        told[name] = {
            "line_bytes": len(texts[0]),
            "body_bytes": len(json.dumps(statement(random.Random(1)))),
            "pairs_a_second": [round(own), round(again)],
            "deepdiff_pairs_a_second": round(theirs),
            "times_as_fast": round(min(own, again) / theirs, 1),
        }
    return told


def generated() -> dict[str, Any]:
    tree = FieldTree(Rules.of(RULES))
    phantom, missed, misnamed = 0, 0, 0
    for seed in range(GENERATED):
        body, rng = drawn_body(seed)
        phantom += bool(compare(answer(control(body)), answer(equal(body, rng)), tree))
        path = planted(body, rng)
        found = {field.path for field in compare(answer(control(body)), answer(equal(body, rng)), tree)}
        missed += not found
        misnamed += not found <= {f"body.{path}", f"body.{path}.*"}
    return {"pairs": GENERATED, "differences_in_equal_pairs": phantom, "planted_missed": missed, "misnamed": misnamed}


def by_e_value(counts: FieldCounts, pairs: int) -> bool:
    log_e = log_e_regression(counts, pairs, 0)
    return verdict(counts, log_e, 1 / 0.05, 0.05, 2.0) is FieldVerdict.REGRESSION


def by_usual_rule(counts: FieldCounts, pairs: int) -> bool:
    """Rates apart by more than 20 % of their sum and 0.03 % of all pairs. Source: Twitter's diffy, its defaults."""
    raw, noise = counts.differ, counts.noise
    return raw > noise and 100 * (raw - noise) / (raw + noise) > 20 and 100 * (raw - noise) / pairs > 0.03


def verdicts() -> list[dict[str, Any]]:
    told = []
    for name, differ, noise, pairs in (
        ("clean, 0.1 % noise", 0.001, 0.001, 2000),
        ("clean, 5 % noise", 0.05, 0.05, 2000),
        ("clean, 50 % noise", 0.5, 0.5, 2000),
        ("10 points beyond 50 % noise", 0.6, 0.5, 2000),
        ("1 % wrong, no noise", 0.01, 0.0, 2000),
        ("always wrong, no noise", 1.0, 0.0, 8),
    ):
        rng = np.random.default_rng(1)
        runs = [drawn(rng, differ, noise, pairs, 0) for _ in range(RUNS)]
        told.append(
            {
                "field": name,
                "pairs": pairs,
                "called_regression_percent": 100 * sum(by_e_value(counts, pairs) for counts in runs) / RUNS,
                "by_usual_rule_percent": 100 * sum(by_usual_rule(counts, pairs) for counts in runs) / RUNS,
            }
        )
    return told


@dataclass
class Turn:
    """Users' requests in one state of the shadow."""

    milliseconds: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)

    def ask(self, port: int) -> None:
        took = asyncio.run(live_milliseconds(port))
        self.milliseconds += took
        self.medians.append(statistics.median(took))


async def live_milliseconds(port: int) -> list[float]:
    """Of one user who asks again and again."""
    connection, took = Connection(port), []
    for _ in range(LIVE_REQUESTS):
        began = time.perf_counter()
        answered = await connection.ask(Ask())
        took.append((time.perf_counter() - began) * 1000)
        assert (answered.status, answered.arm) == (200, "legacy")
    await connection.close()
    return took


def live() -> dict[str, Any]:
    """What a live request pays: in short turns, in an order drawn each round, so that other load strikes all alike.

    Router, collector, both sides' servers and the user share this computer's cores: where the collector and the servers
    that it asks have cores of their own, what is measured here as a cost is mostly not there.
    """
    chance, turns = random.Random(1), {name: Turn() for name in ("off", "answered", "hanging")}
    with collected(timeout=0.5, max_in_flight=20) as running:
        modern, ports = running.routed.servers.modern, running.routed.layout.modern_ports
        for _ in range(LIVE_ROUNDS):
            for name in chance.sample(tuple(turns), len(turns)):
                modern.frozen.clear()
                wait_for(lambda: running.reading().in_flight == 0)
                modern.frozen.update(ports if name == "hanging" else ())
                running.routed.router.mirror(0 if name == "off" else 100)
                turns[name].ask(running.routed.port)
        seen = running.reading()
    told: dict[str, Any] = {
        "load_average_per_core": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1),
        "requests_of_each": LIVE_ROUNDS * LIVE_REQUESTS,
        "pairs": seen.pairs,
        "unanswered": seen.unanswered,
        "dropped": seen.dropped,
    }
    for name, turn in turns.items():
        cuts = np.percentile(turn.milliseconds, (50, 99))
        told[name] = {"median_ms": round(float(cuts[0]), 3), "p99_ms": round(float(cuts[1]), 2)}
    for name in ("answered", "hanging"):
        ratios = [ours / off for ours, off in zip(turns[name].medians, turns["off"].medians, strict=True)]
        told[name]["median_over_off"] = [round(float(cut), 3) for cut in np.percentile(ratios, (50, 25, 75))]
        told[name]["p99_over_off"] = round(told[name]["p99_ms"] / told["off"]["p99_ms"], 2)
    return told


PARTS: dict[str, Callable[[], object]] = {
    "speed": speed,
    "verdicts": verdicts,
    "generated": generated,
    "live": live,
}


def main() -> None:
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in sys.argv[1:] or PARTS:
        results[name] = PARTS[name]()
        print(name, json.dumps(results[name], indent=1), flush=True)
        RESULTS.write_text(json.dumps({part: results[part] for part in PARTS if part in results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
