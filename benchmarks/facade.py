"""What a facade costs a call beyond the call itself, and what a hanging candidate costs the live calls.

Run with `.venv/bin/python -m benchmarks.facade`; results go to benchmarks/results/facade.json. About 20 seconds. Each
round times every way of calling in turn, so what else the computer does meets all of them; a cost is the median over
rounds of the difference to the plain call of the same round. Ratios compare within the run: with one evaluation by
OpenFeature's client and a provider in memory, which a facade saves its calls.
"""

import asyncio
import json
import statistics
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from openfeature import api
from openfeature.flag_evaluation import FlagValueType
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from crossfade.facade import Facade, FacadeSettings, Finding, Mode, Rollout, segment
from crossfade.facade.openfeature_flags import OpenFeatureFlags

RESULTS = Path(__file__).parent / "results" / "facade.json"
ROUNDS = 600
CALLS = 100  # a round must be shorter than the turn that a busy computer gives it
LIMIT_US = 5.0
ROLLOUTS = {
    "legacy": Rollout(mode=Mode.LEGACY),
    "modern_15_percent_outside": Rollout(mode=Mode.MODERN, percent=15),
    "modern_15_percent_inside": Rollout(mode=Mode.MODERN, percent=15),
    "modern_with_fallback": Rollout(mode=Mode.MODERN_WITH_FALLBACK),
    "modern": Rollout(mode=Mode.MODERN),
}
OUTSIDE = next(user for user in map(str, range(1000)) if segment(user) >= 15)
INSIDE = next(user for user in map(str, range(1000)) if segment(user) < 15)


def implementation(user: str) -> str:
    return user


async def coroutine(user: str) -> str:
    return user


def busy(user: str) -> str:
    """Some 20 µs of work: what a small request does."""
    for _ in range(30):
        segment(user)
    return user


def whom(user: str) -> str:
    return user


def provider() -> InMemoryProvider:
    flags = {}
    for name, rollout in (*ROLLOUTS.items(), ("shadow", Rollout(mode=Mode.SHADOW))):
        variants: dict[str, FlagValueType] = {"on": {"mode": rollout.mode.value, "percent": rollout.percent}}
        flags[name] = InMemoryFlag("on", variants)
    return InMemoryProvider(flags)


def microseconds(call: Callable[[str], Any], user: str) -> float:
    began = perf_counter()
    for _ in range(CALLS):
        call(user)
    return (perf_counter() - began) / CALLS * 1e6


async def microseconds_async(call: Callable[[str], Awaitable[Any]], user: str) -> float:
    began = perf_counter()
    for _ in range(CALLS):
        await call(user)
    return (perf_counter() - began) / CALLS * 1e6


def costs(facade: Facade) -> dict[str, float]:
    client = api.get_client()
    ways = {
        name: facade.experiment(name, legacy=implementation, modern=implementation, user=whom, side_effects=False)
        for name in ROLLOUTS
    }
    spent: dict[str, list[float]] = {name: [] for name in ("openfeature", *ways)}
    for _ in range(ROUNDS):
        plain = microseconds(implementation, OUTSIDE)
        spent["openfeature"].append(microseconds(lambda user: client.get_object_details(user, {}), "legacy"))
        for name, way in ways.items():
            spent[name].append(microseconds(way, INSIDE if name.endswith("inside") else OUTSIDE) - plain)
    return {name: statistics.median(each) for name, each in spent.items()}


def costs_of_shadows(facade: Facade) -> dict[str, float]:
    """Of shadows that are run: after each round all are awaited. Of those that are dropped: the facade is closed."""
    way = facade.experiment("shadow", legacy=implementation, modern=implementation, user=whom, side_effects=False)
    spent: dict[str, list[float]] = {"shadow_run": [], "shadow_dropped": []}
    for number in range(1, ROUNDS + 1):
        plain = microseconds(implementation, OUTSIDE)
        spent["shadow_run"].append(microseconds(way, OUTSIDE) - plain)
        while sum(way.counts.values()) < number * CALLS:
            sleep(0.0005)
    if set(way.counts) != {Finding.MATCHED}:
        raise SystemExit(f"shadows were not run: {way.counts}")
    facade.close()
    for _ in range(ROUNDS):
        plain = microseconds(implementation, OUTSIDE)
        spent["shadow_dropped"].append(microseconds(way, OUTSIDE) - plain)
    return {name: statistics.median(each) for name, each in spent.items()}


async def cost_async(facade: Facade) -> float:
    way = facade.experiment("legacy", legacy=coroutine, modern=coroutine, user=whom, side_effects=False)
    spent = []
    for _ in range(ROUNDS):
        plain = await microseconds_async(coroutine, OUTSIDE)
        spent.append(await microseconds_async(way, OUTSIDE) - plain)
    return statistics.median(spent)


def with_hanging_candidate(facade: Facade) -> dict[str, float]:
    """Live calls of some work, by turns in legacy mode and in shadow mode; all candidates hang."""
    released = threading.Event()

    def hanging(user: str) -> str:
        released.wait()
        return user

    ways = {
        name: facade.experiment(name, legacy=busy, modern=hanging, user=whom, side_effects=False)
        for name in ("legacy", "shadow")
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(50_000):
        for name, way in ways.items():
            began = perf_counter()
            way(OUTSIDE)
            taken[name].append((perf_counter() - began) * 1e6)
    released.set()
    found: dict[str, float] = {}
    for percentile in (50, 90, 99):
        legacy, shadow = (statistics.quantiles(taken[name], n=100)[percentile - 1] for name in ("legacy", "shadow"))
        found |= {f"legacy_p{percentile}_us": legacy, f"shadow_p{percentile}_us": shadow}
        found[f"ratio_p{percentile}"] = shadow / legacy
    return found


def main() -> None:
    api.set_provider_and_wait(provider())
    settings = FacadeSettings(deadline=timedelta(seconds=10))
    with Facade(OpenFeatureFlags(), settings=settings) as facade:
        cost = costs(facade)
        cost["legacy_async"] = asyncio.run(cost_async(facade))
        hanging = with_hanging_candidate(facade)
    lasting = FacadeSettings(deadline=timedelta(seconds=10), usable_for=timedelta(hours=1), waiting=CALLS)
    with Facade(OpenFeatureFlags(), settings=lasting) as facade:
        cost |= costs_of_shadows(facade)
    one_evaluation = cost.pop("openfeature")
    results = {
        "limit_us": LIMIT_US,
        "cost_us": _rounded(cost),
        "ratio_to_limit": _rounded({name: each / LIMIT_US for name, each in cost.items()}),
        "openfeature_evaluation_us": round(one_evaluation, 3),
        "ratio_to_openfeature_evaluation": _rounded({name: each / one_evaluation for name, each in cost.items()}),
        "hanging_candidate": _rounded(hanging),
    }
    text = json.dumps(results, indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)
    if cost["legacy"] >= LIMIT_US or cost["legacy_async"] >= LIMIT_US:
        raise SystemExit(f"legacy mode costs more than {LIMIT_US:g} µs a call")


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


if __name__ == "__main__":
    main()
