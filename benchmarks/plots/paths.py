"""The evidence against single canaries, look by look: e-values on a logarithmic axis, and the bar that aborts."""

from typing import Any

from benchmarks.plots.results import Results
from benchmarks.plots.scales import Frame, Scale
from benchmarks.plots.svg import Picture

LOOKS_OF = {
    "healthy": "ours-line",
    "a common incident": "third-line dashed",
    "latency +20 %": "bad-line",
    "errors 0.1 % → 1 %": "bad-line dotted",
}
LOWEST, HIGHEST = 0.01, 1000.0


def picture(results: Results) -> Picture:
    drawn = Picture(
        title="E-values of four rollouts at the 5 % step, look by look",
        summary=" ".join(
            f"{path['path']}: ends at {path['e_values'][-1]:.2g} after {requests(path):,} requests."
            for path in results.told["paths"]
        ),
        height=430,
    )
    paths = {path["path"]: path for path in results.told["paths"]}
    last = max(requests(path) for path in paths.values())
    x = Scale(first=0, last=last, start=84, end=780)
    y = Scale(first=LOWEST, last=HIGHEST, start=360, end=40, logarithmic=True)
    frame = Frame(drawn=drawn, x=x, y=y)
    frame.axes(
        {float(n): f"{n:,}" for n in range(0, last + 1, 2000)},
        {0.01: "0.01", 0.1: "0.1", 1.0: "1", 10.0: "10", 100.0: "100", 1000.0: "1,000"},
    )
    threshold = results.told["threshold"]
    bar = y.place(threshold)
    drawn.line(x.start, bar, x.end, bar, "axis dashed")
    drawn.text(x.start + 8, bar - 7, f"aborts at {threshold:g}", "ink")
    drawn.text(x.start, 24, "e-value, the evidence against the canary", "quiet")
    drawn.text((x.start + x.end) / 2, 408, "requests of both arms", "quiet", anchor="middle")
    lines = {}
    for name, look in LOOKS_OF.items():
        path = paths[name]
        size = path["requests_a_look"]
        points = [(0.0, 1.0), *((size * (at + 1.0), value) for at, value in enumerate(path["e_values"]))]
        lines[name] = (points, look)
    frame.lines(lines, labels_at=x.end + 14)
    for name in ("latency +20 %", "errors 0.1 % → 1 %"):
        at, value = lines[name][0][-1]
        drawn.dot(x.place(at), y.place(value), "bad")
    return drawn


def requests(path: dict[str, Any]) -> int:
    """Of both arms, over the whole path."""
    return int(path["requests_a_look"]) * len(path["e_values"])
