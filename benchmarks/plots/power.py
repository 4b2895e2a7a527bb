"""What part of regressions is found within one step, by the canary's share of the traffic."""

from benchmarks.against_peers import OURS
from benchmarks.cases import POWER, POWER_SHARES
from benchmarks.plots.results import Results
from benchmarks.plots.scales import Frame, Scale
from benchmarks.plots.svg import Picture
from tests.judge.scenarios import LOOKS, REQUESTS

STEP = LOOKS * REQUESTS
LINES = {
    OURS: ("the judge", "ours-line"),
    "Mann-Whitney, Bonferroni": ("Mann-Whitney*", "bad-line dashed"),
    "Fisher, Bonferroni": ("Fisher*", "bad-line dashed"),
    "Kayenta's judge": ("Kayenta", "other-line dotted"),
}
HEIGHT, PANEL, GAP = 312.0, 284.0, 490.0


def picture(results: Results) -> Picture:
    drawn = Picture(
        title=f"Found within one step of {STEP:,} requests, by share of the canary",
        summary=" ".join(
            f"{regression} by the judge: "
            + ", ".join(f"{found:.0f} % at {100 * share:g} %" for share, found in zip(
                POWER_SHARES, results.powers(regression, POWER_SHARES, OURS), strict=True)) + "."
            for regression in POWER
        ),
        height=2 * HEIGHT + 30,
    )  # fmt: skip
    for number, regression in enumerate(POWER):
        _panel(drawn, results, regression, 64 + GAP * (number % 2), 20 + HEIGHT * (number // 2))
    note = "* with Bonferroni's correction for twelve steps; only the judge leaves a margin of 5 % on latency"
    drawn.text(20, drawn.height - 14, note, "quiet")
    return drawn


def _panel(drawn: Picture, results: Results, regression: str, left: float, top: float) -> None:
    drawn.text(left, top + 16, regression, "ink strong")
    x = Scale(first=0, last=len(POWER_SHARES) - 1, start=left, end=left + PANEL)
    y = Scale(first=0, last=100, start=top + 236, end=top + 36)
    frame = Frame(drawn=drawn, x=x, y=y)
    frame.axes(
        {float(at): f"{100 * share:g}" for at, share in enumerate(POWER_SHARES)},
        {float(part): f"{part} %" for part in (0, 50, 100)},
    )
    unfit = "Fisher, Bonferroni" if "latency" in regression else "Mann-Whitney, Bonferroni"
    lines = {}
    for rule, (name, look) in LINES.items():
        if rule != unfit:
            found = results.powers(regression, POWER_SHARES, rule)
            lines[name] = ([(float(at), part) for at, part in enumerate(found)], look)
    drawn.text((x.start + x.end) / 2, y.start + 42, "the canary's share, %", "quiet", anchor="middle")
    frame.lines(lines, labels_at=x.end + 12)
