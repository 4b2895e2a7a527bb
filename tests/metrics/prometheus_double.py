"""A Prometheus in memory: queries are parsed by the grammar of the real one and evaluated over samples by hand.

It knows what the adapter asks with and refuses everything else, as the real one refuses what it cannot parse.
The contract suite holds the same expectations against a real server where a program `prometheus` is installed.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser as promql

from crossfade.rehearsal.processes import free_ports
from tests.metrics.exporters import Exporter, Labels

LOOKBACK = timedelta(minutes=5)
Vector = dict[Labels, float]


@dataclass
class Double:
    """`now` is its clock; `scrape` takes samples of the exporters of `targets`, by instance."""

    targets: dict[str, Exporter] = field(default_factory=lambda: {"router-1:9901": Exporter()})
    now: datetime = datetime(2026, 11, 2, 12, 20, tzinfo=UTC)
    samples: dict[Labels, list[tuple[datetime, float | None]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[str], tuple[int, dict[str, str], bytes]] | None = None
    """Instead of what it would answer: status, headers, body."""
    url: str = ""

    def pass_time(self, seconds: float = 10) -> None:
        self.now += timedelta(seconds=seconds)

    def scrape(self) -> None:
        """What a target no longer tells is marked as stale, as the real one does."""
        told = {
            tuple(sorted((*series, ("instance", instance), ("job", "router")))): float(value)
            for instance, exporter in self.targets.items()
            for series, value in exporter.counters.items()
        }
        for series in self.samples.keys() - told.keys():
            self.samples[series].append((self.now, None))
        for series, value in told.items():
            self.samples.setdefault(series, []).append((self.now, value))

    def evaluate(self, query: str, at: datetime) -> Vector:
        found = self._of(promql.parse(query), at)
        assert isinstance(found, dict), query
        return found

    def _of(self, node: Any, at: datetime) -> Vector | float:
        match node:
            case promql.NumberLiteral():
                return float(node.val)
            case promql.VectorSelector():
                return {series: value for series, _, value in self._newest(node, at)}
            case promql.Call() if node.func.name == "timestamp":
                return {_nameless(series): when.timestamp() for series, when, _ in self._newest(node.args[0], at)}
            case promql.Call() if node.func.name == "resets":
                return self._resets(node.args[0], at)
            case promql.AggregateExpr():
                return _aggregated(str(node.op), _by(node), self._vector(node.expr, at))
            case promql.BinaryExpr():
                return self._combined(node, at)
            case _:
                raise NotImplementedError(type(node).__name__)  # a query that the double cannot answer fails its test

    def _vector(self, node: Any, at: datetime) -> Vector:
        found = self._of(node, at)
        assert isinstance(found, dict)
        return found

    def _combined(self, node: Any, at: datetime) -> Vector:
        left, right = self._vector(node.lhs, at), self._of(node.rhs, at)
        match str(node.op), right:
            case "or", dict():
                return left or right  # both are sums without labels wherever it is asked
            case "and", dict():
                return {series: value for series, value in left.items() if series in right}
            case "*", float():
                return {series: value * right for series, value in left.items()}
            case _:
                raise NotImplementedError(str(node.op))  # likewise

    def _matching(self, selector: Any) -> Iterator[tuple[Labels, list[tuple[datetime, float | None]]]]:
        assert selector.at is None
        assert selector.offset is None
        for series, samples in self.samples.items():
            values = dict(series)
            if selector.name is not None and values["__name__"] != selector.name:
                continue
            if all(_matches(each, values.get(each.name, "")) for each in selector.matchers.matchers):
                yield series, samples

    def _newest(self, selector: Any, at: datetime) -> Iterator[tuple[Labels, datetime, float]]:
        for series, samples in self._matching(selector):
            seen = [sample for sample in samples if at - LOOKBACK < sample[0] <= at]
            if seen and seen[-1][1] is not None:
                yield series, seen[-1][0], seen[-1][1]

    def _resets(self, matrix: Any, at: datetime) -> Vector:
        found = {}
        for series, samples in self._matching(matrix.vector_selector):
            values = [value for when, value in samples if at - matrix.range < when <= at and value is not None]
            if values:
                found[_nameless(series)] = float(sum(after < before for before, after in pairwise(values)))
        return found


def _matches(matcher: Any, value: str) -> bool:
    same: dict[str, bool] = {"Equal": matcher.value == value, "Re": re.fullmatch(matcher.value, value) is not None}
    return same[str(matcher.op).removeprefix("MatchOp.")]


def _nameless(series: Labels) -> Labels:
    return tuple(pair for pair in series if pair[0] != "__name__")


def _by(node: Any) -> tuple[str, ...]:
    return tuple(node.modifier.labels) if node.modifier is not None else ()


def _aggregated(how: str, by: tuple[str, ...], vector: Vector) -> Vector:
    groups: dict[Labels, list[float]] = {}
    for series, value in vector.items():
        groups.setdefault(tuple(pair for pair in series if pair[0] in by), []).append(value)
    ways: dict[str, Callable[[list[float]], float]] = {"sum": sum, "min": min, "count": lambda all_: float(len(all_))}
    return {group: ways[how](values) for group, values in groups.items()}


@contextmanager
def prometheus() -> Iterator[Double]:
    """It answers at `url` until the end; connections are those of HTTP/1.1."""
    double = Double()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # an answer goes in two pieces, and the second would wait 40 ms

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            asked = parse_qs(address.query)
            (query,), (moment,) = asked["query"], asked["time"]
            double.asked.append(query)
            double.headers.append(dict(self.headers))
            given = double.answer(query) if double.answer else None
            status, headers, body = given or _answered(double, query, float(moment))
            assert address.path == "/api/v1/query"
            self.send_response_only(status)
            for name, value in {"Date": format_datetime(double.now, usegmt=True), **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
            pass

    (port,) = free_ports(1)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    double.url = f"http://127.0.0.1:{port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def success(vector: Vector, at: float = 0, **more: object) -> bytes:
    result = [{"metric": dict(series), "value": [at, f"{value:.17g}"]} for series, value in vector.items()]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more}).encode()


def _answered(double: Double, query: str, moment: float) -> tuple[int, dict[str, str], bytes]:
    try:
        found = double.evaluate(query, datetime.fromtimestamp(moment, UTC))
    except ValueError as wrong:  # as the real one: 400 and its own words
        told = {"status": "error", "errorType": "bad_data", "error": str(wrong)}
        return 400, {}, json.dumps(told).encode()
    return 200, {"content-type": "application/json"}, success(found, moment)
