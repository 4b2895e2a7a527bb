"""How often each rule aborts a rollout whose canary is not worse: a number and a bar for each scenario and rule."""

from benchmarks.against_peers import OURS
from benchmarks.plots.results import NOT_PROMISED, PROMISED, SHORT, Results
from benchmarks.plots.svg import WIDTH, Picture

LEFT, RIGHT, TOP, ROW = 282.0, 990.0, 92.0, 37.0
BAR = 58.0


def picture(results: Results) -> Picture:
    shown = (*PROMISED, None, *NOT_PROMISED)
    drawn = Picture(
        title="False aborts per whole rollout, by scenario and rule",
        summary=_summary(results),
        height=TOP + ROW * len(shown) + 42,
    )
    column = (RIGHT - LEFT) / len(results.rules)
    for number, rule in enumerate(results.rules):
        for line, said in enumerate(reversed(SHORT[rule])):
            x = LEFT + column * (number + 1) - 8
            drawn.text(x, 76 - 20 * line, said, "ours strong" if rule == OURS else "ink", anchor="end")
    for number, case in enumerate(shown):
        y = TOP + ROW * number
        if case is None:
            drawn.text(20, y + 24, "outside of what the judge promises:", "quiet")
            continue
        if number % 2:
            drawn.box(10, y, WIDTH - 20, ROW, "band")
        drawn.text(20, y + 24, case)
        for at, rule in enumerate(results.rules):
            _cell(drawn, LEFT + column * (at + 1) - 8, y, results, (case, rule))
    drawn.text(20, drawn.height - 18, "bars: 0 to 100 % of rollouts; orange: surely above 5 %", "quiet")
    return drawn


def _cell(drawn: Picture, right: float, y: float, results: Results, what: tuple[str, str]) -> None:
    rate = results.rate(*what)
    bad = rate.low > 5
    drawn.text(right, y + 20, percent(rate.percent), "bad strong" if bad else "ink", anchor="end")
    if rate.percent:
        wide = max(1.5, BAR * rate.percent / 100)
        drawn.box(right - wide, y + 26, wide, 6, "bad" if bad else "ours" if what[1] == OURS else "bar")


def percent(part: float) -> str:
    """Few digits, so that columns read easily."""
    return f"{part:.0f} %" if part >= 10 or part == 0 else f"{part:.1f} %"


def _summary(results: Results) -> str:
    worst = max(results.rate(case).percent for case in PROMISED)
    above = ", ".join(rule for rule in results.rules if results.cries_wolf(rule))
    return f"The judge aborts at most {percent(worst)} of rollouts in the scenarios it promises. Above 5 %: {above}."
