"""Rules of where counts come from: the source can be asked, and tells the arms apart."""

import re
from collections.abc import Iterator

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.limits import MetricsEngine
from crossfade.model.file.rules.finding import Finding, unique

_BUSINESS = ("metrics", "business")
_TAKEN = ("errors", "latency")  # the judge's own names
_FORMS = {
    MetricsEngine.PROMETHEUS: (
        re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*\{[^{}]*(\{arm\}[^{}]*)+\}", re.ASCII),
        'write a selector of a counter, such as accepted_total{arm="{arm}"}',
    ),
    MetricsEngine.CLOUDWATCH: (
        re.compile(r"[^\s{}]+ [^\s{}]+\{[^{}=,]+=([^{}=,]|\{arm\})+(,[^{}=,]+=([^{}=,]|\{arm\})+)*\}", re.ASCII),
        "write namespace, metric and dimensions, such as Ledger Accepted{Arm={arm}}",
    ),
}


def addressed(file: MigrationFile) -> Iterator[Finding]:
    """Whoever is asked has an address, and whoever asks CloudWatch says which target groups."""
    engine, given = file.metrics.engine, file.metrics
    if engine is not MetricsEngine.CLOUDWATCH and given.url is None:
        yield Finding(
            places=(("metrics", "url"), ("metrics", "engine")),
            problem=f"engine {engine} needs an address",
            remedy="write it as metrics.url",
        )
    if given.credentials is not None and given.url is not None and _in_the_clear(given.url):
        yield Finding(
            places=(("metrics", "url"), ("metrics", "credentials")),
            problem="a token would cross the network in the clear",
            remedy="write an address that begins with https://",
        )
    arms = file.metrics.cloudwatch
    if arms is not None and arms.baseline.target_group == arms.canary.target_group:
        path = ("metrics", "cloudwatch")
        yield Finding(
            places=((*path, "canary", "target_group"), (*path, "baseline", "target_group")),
            problem="both arms are served by the same target group",
            remedy="give each arm a target group of its own",
        )


def told_apart(file: MigrationFile) -> Iterator[Finding]:
    """Every query counts one arm, and the two arms are not the same."""
    asked = file.metrics.prometheus
    if asked.baseline == asked.canary:
        yield Finding(
            places=(("metrics", "prometheus", "canary"), ("metrics", "prometheus", "baseline")),
            problem="both arms have the same name",
            remedy="write what {arm} becomes for each of them",
        )
    if (asked.requests is None) is not (asked.errors is None):
        path = ("metrics", "prometheus")
        yield Finding(
            places=((*path, "errors" if asked.requests is None else "requests"),),
            problem="counts something else than the names' own requests and errors",
            remedy="write `requests` and `errors` together",
        )
    yield from unique(_BUSINESS, "name", (metric.name for metric in file.metrics.business))
    for i, metric in enumerate(file.metrics.business):
        if metric.name in _TAKEN:
            yield Finding(
                places=((*_BUSINESS, i, "name"),), problem="is a name of the judge's own", remedy="choose another name"
            )
        if 1 + metric.margin_percent / 100 >= metric.tolerance:
            yield Finding(
                places=((*_BUSINESS, i, "margin_percent"), (*_BUSINESS, i, "tolerance")),
                problem=f"{metric.margin_percent:g} % reach the tolerance {metric.tolerance:g}",
                remedy="set the margin lower or the tolerance higher",
            )
        for name, query in (("good", metric.good), ("total", metric.total)):
            yield from _query_fits(file.metrics.engine, (*_BUSINESS, i, name), query)
    if (users := file.metrics.users_with_errors) is not None:
        yield from _query_fits(file.metrics.engine, ("metrics", "users_with_errors"), users)


def _query_fits(engine: MetricsEngine, place: tuple[str | int, ...], query: str) -> Iterator[Finding]:
    if "{arm}" not in query:
        yield Finding(
            places=(place,), problem="does not tell the arms apart", remedy="write {arm} where the query names the arm"
        )
    elif engine in _FORMS and not _FORMS[engine][0].fullmatch(query):
        yield Finding(
            places=(place, ("metrics", "engine")),
            problem=f"is nothing that {engine} can be asked for",
            remedy=_FORMS[engine][1],
        )


def _in_the_clear(url: str) -> bool:
    host = re.split(r"[:/?#]", url.split("//", 1)[1], maxsplit=1)[0]
    return url.startswith("http://") and host not in {"127.0.0.1", "localhost"}


ALL = (addressed, told_apart)
