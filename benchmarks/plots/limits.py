"""How small a regression is found with how many requests: medians and ninetieth percentiles, and the oracle."""

from benchmarks.cases import WORSE
from benchmarks.plots.results import Results
from benchmarks.plots.scales import Frame, Scale
from benchmarks.plots.svg import Picture

LATENCY = {name: round(100 * (worse.canary.median_ms / worse.baseline.median_ms - 1)) for name, worse in WORSE.items()
           if name.startswith("latency") and "tails" not in name}  # fmt: skip
ERRORS = {name: round(worse.canary.error_rate / worse.baseline.error_rate) for name, worse in WORSE.items()
          if name.startswith("errors")}  # fmt: skip
LEAST, MOST = 50.0, 200_000.0


def picture(results: Results) -> Picture:
    drawn = Picture(
        title="Requests until a regression is found at the 5 % step, by its size",
        summary=" ".join(
            f"{name}: median {_or_never(results.requests(name))}, oracle {results.oracle(name):,.0f}."
            for name in (*LATENCY, *ERRORS)
        ),
        height=400,
    )
    _panel(drawn, results, LATENCY, 84, "slower by", "%")
    _panel(drawn, results, ERRORS, 578, "errors, times the baseline's 0.1 %", "×")
    return drawn


def _panel(drawn: Picture, results: Results, sizes: dict[str, int], left: float, said: str, unit: str) -> None:
    order = list(sizes.items())
    x = Scale(first=0, last=len(order) - 1, start=left, end=left + 286)
    y = Scale(first=LEAST, last=MOST, start=330, end=50, logarithmic=True)
    frame = Frame(drawn=drawn, x=x, y=y)
    drawn.text(left, 24, "requests of both arms", "quiet")
    frame.axes(
        {float(at): f"{size} {unit}" for at, (_, size) in enumerate(order)},
        {100.0: "100", 1000.0: "1,000", 10_000.0: "10,000", 100_000.0: "100,000"},
    )
    drawn.text((x.start + x.end) / 2, 376, said, "quiet", anchor="middle")
    lines: dict[str, tuple[list[tuple[float, float]], str]] = {
        "9 of 10 found": ([], "ours-line dotted"),
        "half found": ([], "ours-line"),
        "oracle": ([], "other-line dashed"),
    }
    for at, (name, _) in enumerate(order):
        for line, value in (
            ("9 of 10 found", results.requests(name, quantile="ninetieth")),
            ("half found", results.requests(name)),
            ("oracle", results.oracle(name)),
        ):
            if value is not None:
                lines[line][0].append((float(at), value))
    frame.lines(lines, labels_at=x.end + 10)


def _or_never(requests: float | None) -> str:
    return "never" if requests is None else f"{requests:,.0f}"
