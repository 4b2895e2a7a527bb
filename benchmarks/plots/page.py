"""docs/judge-measured.md, pictures, and the tables in docs/judge.md and docs/judge-limits.md, from what was stored.

A test holds the files to that; `python -m benchmarks.plots` writes them anew. The words are those of the template.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.against_peers import OURS
from benchmarks.cases import NOT_WORSE, POWER, POWER_SHARES
from benchmarks.plots import detection, false_aborts, limits, paths, power, reached, worked
from benchmarks.plots.false_aborts import percent
from benchmarks.plots.results import NOT_PROMISED, PLAIN, PROMISED, Results, stored
from benchmarks.plots.svg import Picture
from benchmarks.plots.tables import detected, found_within, sizes, within_promise
from jinja2 import Environment, StrictUndefined

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGE, LIMITS, METHOD = DOCS / "judge-measured.md", DOCS / "judge-limits.md", DOCS / "judge.md"
TEMPLATE = Path(__file__).with_name("judge-measured.md.j2")
DRAWN = {
    "judge-false-aborts": false_aborts.picture,
    "judge-detection": detection.picture,
    "judge-paths": paths.picture,
    "judge-power": power.picture,
    "judge-limits": limits.picture,
}


def pictures(results: Results) -> dict[str, Picture]:
    return {name: draw(results) for name, draw in DRAWN.items()}


def published(results: Results) -> dict[Path, str]:
    """Every file that is made, by its place."""
    made = {DOCS / "pictures" / f"{name}.svg": drawn.svg() for name, drawn in pictures(results).items()}
    tables = {
        "sizes": sizes(results),
        "traffic": found_within(results),
        "last": worked.last_answers(),
        "compared": worked.compared(),
    }
    told = filled(LIMITS.read_text(encoding="utf-8"), tables)
    method = filled(METHOD.read_text(encoding="utf-8"), reached.tables())
    return {**made, PAGE: page(results), LIMITS: told, METHOD: method}


def publish() -> Iterator[Path]:
    """Write all of it."""
    for path, text in published(stored()).items():
        path.write_text(text, encoding="utf-8")
        yield path.relative_to(ROOT)


def filled(text: str, parts: Mapping[str, str]) -> str:
    """The text with each part between its marks, `<!-- measured: NAME -->` and `<!-- end -->`, replaced.

    Raises LookupError where the marks of a part do not stand just once.
    """
    for name, part in parts.items():
        marks = re.compile(rf"<!-- measured: {name} -->\n.*?<!-- end -->", re.DOTALL)
        if len(marks.findall(text)) != 1:
            raise LookupError(f"the marks of {name} must stand just once")
        before, after = marks.split(text)
        text = f"{before}<!-- measured: {name} -->\n{part}<!-- end -->{after}"
    return text


def page(results: Results) -> str:
    """The page of measurements."""
    environment = Environment(autoescape=False, undefined=StrictUndefined, keep_trailing_newline=True)  # Markdown
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    worst = max(PROMISED, key=lambda case: results.rate(case).percent)
    wolves = [rule for rule in results.rules if results.cries_wolf(rule)]
    ends = {path["path"]: path for path in results.told["paths"]}
    threshold = results.told["threshold"]
    passing = [path for path in ends.values() if path["e_values"][-1] >= threshold]
    outside = [f"{case} ({percent(results.rate(case).percent)})" for case in NOT_PROMISED]
    return template.render(
        rollouts=results.rollouts,
        percent=percent,
        worst=worst,
        worst_rate=results.rate(worst),
        within=within_promise(results),
        outside=_listed(outside),
        promoted=sum(results.rows[case]["silent_looks_promoted"] for case in NOT_WORSE),
        wolves=_listed([PLAIN[rule] for rule in wolves]),
        rest=_listed([PLAIN[rule] for rule in results.rules if rule not in wolves]),
        detected=detected(results),
        threshold=f"{threshold:g}",
        passing=" ".join(f"*{path['path']}* passes it after {paths.requests(path):,} requests." for path in passing),
        healthy_end=f"{ends['healthy']['e_values'][-1]:.2g}",
        powers="; ".join(_power(results, regression) for regression in POWER),
    )


def _listed(names: Sequence[str]) -> str:
    told = [f"*{name}*" for name in names]
    return " and ".join(part for part in (", ".join(told[:-1]), *told[-1:]) if part) or "none"


def _power(results: Results, regression: str) -> str:
    found = dict(zip(POWER_SHARES, results.powers(regression, POWER_SHARES, OURS), strict=True))
    best = max(found, key=lambda share: found[share])
    return f"{regression}: {found[0.05]:.0f} % at a share of 5 %, most at {100 * best:g} % ({found[best]:.0f} %)"
