"""A process that counts requests of both arms under Envoy's names, and says so in Prometheus's text format."""

from collections import Counter
from dataclasses import dataclass, field

from crossfade.model.terms import Side

Labels = tuple[tuple[str, str], ...]
CLUSTERS = {Side.SOURCE: "legacy", Side.TARGET: "modern"}
EDGES_MS = (5.0, 10.0, 20.0, 25.0, 50.0, 100.0)


def labels(name: str, **values: str) -> Labels:
    return tuple(sorted({"__name__": name, **values}.items()))


@dataclass
class Exporter:
    """`counters` are what a scrape finds; `extra` series may be added by hand."""

    counters: Counter[Labels] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """All counters are there from the start, at zero, as Envoy's are."""
        self.counters = Counter()
        for side in Side:
            self.serve(side, 0, failed=False)
            self.serve(side, 0, failed=True)

    def serve(self, side: Side, times: int, *, failed: bool, milliseconds: float = 20.5) -> None:
        arm = {"envoy_cluster_name": CLUSTERS[side]}
        self.counters[labels("envoy_cluster_upstream_rq_completed", **arm)] += times
        code = "5" if failed else "2"
        self.counters[labels("envoy_cluster_upstream_rq_xx", envoy_response_code_class=code, **arm)] += times
        for edge in (*EDGES_MS, float("inf")):
            le = "+Inf" if edge == float("inf") else f"{edge:g}"
            counted = times if milliseconds <= edge else 0
            self.counters[labels("envoy_cluster_upstream_rq_time_bucket", le=le, **arm)] += counted

    def count(self, name: str, times: int, **values: str) -> None:
        self.counters[labels(name, **values)] += times

    def text(self) -> str:
        lines = []
        for series, value in self.counters.items():
            (_, name), *rest = sorted(series, key=lambda pair: pair[0] != "__name__")
            told = ",".join(f'{key}="{text}"' for key, text in rest)
            lines.append(f"{name}{{{told}}} {value}")
        return "\n".join(lines) + "\n"
