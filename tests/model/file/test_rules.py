from typing import Any

import pytest

from crossfade.model.file import MigrationFile, load
from tests.model.file.files import said, sound, with_values

TIERS = [{"name": "web", "role": "web", "servers": 4}, {"name": "api", "role": "api", "servers": 8}]
WEBHOOK = {"name": "chat", "url": "https://chat.example/x"}
PROMETHEUS = {"metrics__engine": "prometheus", "metrics__url": "https://prometheus.example"}
GROUP = {"load_balancer": "app/alb/1", "target_group": "targetgroup/tg/2", "name": "legacy"}
MAIL = {"host": "smtp.example", "sender": "a@example.com", "to": ["b@example.com"]}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"target__cidr": "192.168.128.0/20"}, "target.cidr", "overlaps"),
        ({"target__cidr": "10.0.0.0/24"}, "target.cidr", "/16 to /22"),
        ({"target__cidr": "10.0.0.0/8"}, "target.cidr", "/16 to /22"),
        ({"target__zones": ["us-east-1a", "eu-west-1b"]}, "target.zones[1]", "not in us-east-1"),
        ({"target__zones": ["us-east-1a", "us-east-1a"]}, "target.zones[1]", "twice"),
        ({"target__zones": ["us-east-1a"]}, "target.zones", "at least two"),
        ({"environment__suffix": "a-rather-long-one"}, "environment.suffix", "13 letters or fewer"),
        ({"environment__suffix": "Prod"}, "environment.suffix", "lower-case"),
        (
            {
                "source__tiers": [{"name": "customer-portal-frontends", "role": "web", "servers": 12}],
                "environment__suffix": "test",
            },
            "source.tiers[0].name",
            "shorten the name by 1",
        ),
        ({"environment__suffix": "a--b"}, "environment.suffix", "single hyphens"),
        (
            {
                "environment__suffix": "thirteen-long",
                "files__shares": [{"name": "x" * 40, "path": "/x", "size": "1GB"}],
            },
            "files.shares[0].name",
            "AWS allows 63",
        ),
        (
            {"files__shares": [{"name": "x", "path": "/x", "size": "1GB"}, {"name": "x", "path": "/y", "size": "1GB"}]},
            "files.shares[1].name",
            "twice",
        ),
        (
            {"servers__count": 1, "source__servers": [{"name": "a"}, {"name": "b"}]},
            "servers.count",
            "fewer than the 2",
        ),
        ({"servers__count": 11, "source__tiers": TIERS}, "servers.count", "set it to 12"),
        ({"source__tiers": [*TIERS[:1], {**TIERS[1], "name": "web"}]}, "source.tiers[1].name", "twice"),
        ({"source__servers": [{"name": "a"}, {"name": "A"}]}, "source.servers[1].name", "twice"),
        (
            {"source__servers": [{"name": "a", "address": "10.1.1.1"}]},
            "source.servers[0].address",
            "not within 192.168.0.0/16",
        ),
        ({"source__servers": [{"name": "a", "tier": "web"}]}, "source.servers[0].tier", "source.tiers"),
        (
            {"source__tiers": TIERS, "servers__instance_types": {"wep": "m6i.large"}},
            "servers.instance_types.wep",
            "api, web",
        ),
        ({"source__tiers": TIERS, "checks__http": [{"name": "x", "tier": "db"}]}, "checks.http[0].tier", "no tier"),
        ({"target__compute": "ecs"}, "target.compute", "name the image"),
        ({"traffic__router": "argo"}, "traffic.router", "name the image"),
        ({"connectivity__primary": "direct_connect"}, "connectivity.primary", "not built"),
        ({"connectivity__vpn__customer_asn": 64512}, "connectivity.vpn.customer_asn", "of its own"),
        (
            {"connectivity__vpn__tunnels": [{"inside_cidr": "10.0.0.0/30"}]},
            "connectivity.vpn.tunnels[0].inside_cidr",
            "/30",
        ),
        ({"database__source__version": 16, "database__target__version": 15}, "database.target.version", "older"),
        ({"database__target__storage": "100GB"}, "database.target.storage", "less than"),
        ({"database__replication__wal": {"warn_at": "60GB"}}, "database.replication.wal.warn_at", "lower"),
        (
            {"database__replication__source_guard": {"connections_warn_percent": 95}},
            "database.replication.source_guard.connections_warn_percent",
            "lower",
        ),
        (
            {"database__replication__source_guard": {"free_disk_warn": "5GB"}},
            "database.replication.source_guard.free_disk_warn",
            "higher",
        ),
        ({"database__tables": ["a", "a"]}, "database.tables[1]", "twice"),
        ({"database__tables": ["audit.a"]}, "database.tables[0]", "add audit"),
        ({"database__tables": ["a"], "database__exclude_tables": ["a"]}, "database.exclude_tables[0]", "once"),
        ({"database__application_roles": ["app", "app"]}, "database.application_roles[1]", "twice"),
        ({"traffic__ladder__long_bake": "5m"}, "traffic.ladder.long_bake", "set long_bake to 10m"),
        ({"traffic__warm_up": "10m"}, "traffic.warm_up", "nothing to judge"),
        ({"traffic__ladder__step": 0.1}, "traffic.ladder.step", "more than 200 stops"),
        ({"traffic__strategy": "blue-green", "traffic__keep_warm": "1m"}, "traffic.keep_warm", "watch"),
        ({"bake__duration": "1h", "bake__verification_interval": "2h"}, "bake.verification_interval", "longer"),
        ({"limits__judge__latency_margin_percent": 20}, "limits.judge.latency_margin_percent", "tolerance higher"),
        ({"limits__judge__link_allowance": "2m"}, "limits.judge.link_allowance", "up to 1m"),
        ({"limits__judge__alpha_percent": 50}, "limits.judge.alpha_percent", "less than 50"),
        ({"limits__max_error_rate_percent": 100}, "limits.max_error_rate_percent", "less than 100"),
        ({"limits__max_error_rate_percent": 0}, "limits.max_error_rate_percent", "more than 0"),
        ({"limits__burn_rate__objective_percent": "100%"}, "limits.burn_rate.objective_percent", "less than 100"),
        (
            {
                "limits__burn_rate__windows": [
                    {"length": "5m", "max_burn_rate": 1},
                    {"length": "300s", "max_burn_rate": 2},
                ]
            },
            "limits.burn_rate.windows[1].length",
            "twice",
        ),
        ({"metrics__engine": "prometheus"}, "metrics.engine", "address"),
        (
            {"metrics__business": [{"name": "x", "good": "a", "total": "Ledger Tried{Arm={arm}}"}]},
            "metrics.business[0].good",
            "{arm}",
        ),
        (
            {"metrics__business": [{"name": "x", "good": "good{{arm}}", "total": "Ledger Tried{Arm={arm}}"}]},
            "metrics.business[0].good",
            "namespace, metric and dimensions",
        ),
        (
            {
                **PROMETHEUS,
                "metrics__business": [
                    {"name": "x", "good": 'a{arm="{arm}"}', "total": 'sum(rate(b{arm="{arm}"}[5m]))'}
                ],
            },
            "metrics.business[0].total",
            "selector of a counter",
        ),
        (
            {
                "metrics__business": [
                    {"name": "x", "good": "L A{Arm={arm}}", "total": "L B{Arm={arm}}", "margin_percent": 100}
                ]
            },
            "metrics.business[0].margin_percent",
            "lower",
        ),
        (
            {"metrics__business": [{"name": "errors", "good": "L A{Arm={arm}}", "total": "L B{Arm={arm}}"}]},
            "metrics.business[0].name",
            "another name",
        ),
        (
            {**PROMETHEUS, "metrics__url": "http://prometheus.example:9090", "metrics__credentials": "env:TOKEN"},
            "metrics.url",
            "https://",
        ),
        ({**PROMETHEUS, "metrics__prometheus__canary": "legacy"}, "metrics.prometheus.canary", "becomes for each"),
        (
            {**PROMETHEUS, "metrics__prometheus__requests": 'requests_total{arm="{arm}"}'},
            "metrics.prometheus.requests",
            "together",
        ),
        ({**PROMETHEUS, "metrics__users_with_errors": "users_total"}, "metrics.users_with_errors", "names the arm"),
        (
            {**PROMETHEUS, "metrics__users_with_errors": 'rate(users{arm="{arm}"}[1m])'},
            "metrics.users_with_errors",
            "selector of a counter",
        ),
        ({**PROMETHEUS, "metrics__prometheus__errors": "errors_total"}, "metrics.prometheus.errors", "recording rule"),
        (
            {"metrics__cloudwatch": {"baseline": GROUP, "canary": {**GROUP, "name": "modern"}}},
            "metrics.cloudwatch.canary.target_group",
            "of its own",
        ),
        ({"approvals": [{"phase": "cutover"}, {"phase": "cutover"}]}, "approvals[1].phase", "twice"),
        ({"approvals": [{"phase": "cutover", "before_share": 50}]}, "approvals[0].before_share", "moves no users"),
        ({"approvals": [{"phase": "canary", "before_share": 50}]}, "approvals[0].before_share", "5, 15, 25"),
        (
            {"approvals": [{"phase": "canary", "before_share": 55}, {"phase": "canary", "before_share": "55%"}]},
            "approvals[1].before_share",
            "twice",
        ),
        ({"approvals": [{"phase": "cutover", "by": ["a"], "count": 2}]}, "approvals[0].count", "more people"),
        ({"approvals": [{"phase": "cutover", "by": ["a", "a"], "count": 2}]}, "approvals[0].count", "more people"),
        ({"notifications__webhooks": [WEBHOOK, WEBHOOK]}, "notifications.webhooks[1].name", "twice"),
        (
            {"notifications__webhooks": [{**WEBHOOK, "url_secret": "env:X"}]},
            "notifications.webhooks[0]",
            "one of url and url_secret",
        ),
        (
            {"notifications__email": [{**MAIL, "credentials": "env:MAIL", "starttls": False}]},
            "notifications.email[0].starttls",
            "starttls: true",
        ),
        ({"planning": {"start": "2027-02-01", "deadline": "2027-01-01"}}, "planning.deadline", "later"),
        (
            {"planning__blackouts": [{"first": "2027-02-01", "last": "2027-01-01", "reason": "x"}]},
            "planning.blackouts[0].last",
            "exchange",
        ),
        (
            {"planning__decision": {"weights": {"cost": 1}, "options": [{"name": "a", "scores": {}}]}},
            "planning.decision.options[0].scores",
            "cost",
        ),
        ({"rehearsal__ports": {"first": 20000, "last": 20010}}, "rehearsal.ports.last", "fewer than 64"),
        ({"rehearsal__ports": {"router": 8080, "source_database": 8080}}, "rehearsal.ports.source_database", "router"),
    ],
)
def test_combination_is_refused_when_it_cannot_work(changes: dict[str, Any], path: str, words: str) -> None:
    told = said(with_values(**changes))
    assert list(told) == [path]
    assert words in told[path]


@pytest.mark.parametrize(
    "changes",
    [
        {"target__cidr": "192.169.0.0/16"},
        {"environment__suffix": "thirteen-long"},
        {"servers__count": 2, "source__servers": [{"name": "a"}, {"name": "b"}]},
        {"source__tiers": TIERS, "checks__http": [{"name": "x", "tier": "web"}]},
        {"connectivity": {"primary": "direct_connect", "direct_connect": {"enabled": True}}},
        {"database__target__version": 13},
        {"bake": {"duration": "1h", "verification_interval": "1h"}},
        {"bake": {"duration": "1m"}},
        {"approvals": []},
        {"approvals": [{"phase": "canary"}, {"phase": "canary", "before_share": 90, "by": ["ann"]}]},
        {"approvals": [{"phase": "canary", "before_share": 100}], "traffic": {"strategy": "blue-green"}},
        {"notifications__email": [{**MAIL, "host": "127.0.0.1", "credentials": "env:MAIL", "starttls": False}]},
        {"traffic": {"strategy": "blue-green", "warm_up": "1h"}},
    ],
)
def test_combination_is_accepted_when_it_just_works(changes: dict[str, Any]) -> None:
    assert isinstance(load(with_values(**changes), "x"), MigrationFile)


def test_approvals_are_none_when_list_is_empty() -> None:
    assert sound(with_values(approvals=[])).approvals == ()
