import re
from collections.abc import Iterator
from typing import Any

import pytest

from crossfade.model.file.built import _PLANNED, _Planned, not_built
from crossfade.model.file.document import MigrationFile
from crossfade.model.file.section import Section
from crossfade.model.file.shape import names_at, section_of
from tests.model.file.files import sound, with_values
from tests.model.file.published import EXAMPLE, ROOT


def sections(text: str) -> set[str]:
    return {section.section for section in not_built(sound(text))}


def test_planned_section_is_told_when_described() -> None:
    described = with_values(connectivity__vpn={"bandwidth": "2Gbps"}, database__target__version=17)
    assert {"connectivity.vpn", "database.target"} <= sections(described)


def test_planned_section_is_not_told_when_left_out() -> None:
    assert sections(with_values(database__application_roles=["ledger_app"])) == {"environment"}


def test_choice_is_told_when_it_asks_for_the_planned_one() -> None:
    assert "shadow" not in sections(with_values(shadow__enabled=False))
    assert "shadow" in sections(with_values(shadow__enabled=True))
    assert "database.replication.engine" in sections(with_values(database__replication__engine="dms"))


def test_what_the_rehearsal_uses_is_not_told_when_described() -> None:
    told = sections(EXAMPLE.read_text(encoding="utf-8"))
    assert told.isdisjoint({"traffic", "traffic.ladder", "limits", "rehearsal", "bake", "approvals", "database.switch"})


def test_every_row_names_a_key_that_exists() -> None:
    for row in _PLANNED:
        *way, last = row.section.split(".")
        assert last in names_at(tuple(way)), row.section
        assert row.says


# Where each key that no row above names is used: the module.
USED = {
    "version": "model/file/published.py",
    "migration.name": "cli/rehearse.py",
    "migration.owner": "cli/check.py",
    "source.cidr": "model/file/rules/site.py",
    "source.name": "cli/rehearse.py",
    "source.servers.name": "model/file/document.py",
    "servers.count": "model/file/document.py",
    "connectivity.primary": "model/file/connectivity.py",
    "connectivity.cut_over_without_backup": "model/resolve.py",
    "database.name": "model/file/built.py",
    "database.size": "model/file/rules/database.py",
    "database.application_roles": "model/file/built.py",
    "database.schemas": "model/file/built.py",
    "database.source.version": "model/file/built.py",
    "database.preflight_accept": "bootstrap.py",
    "database.replication.max_lag_bytes": "model/resolve.py",
    "database.replication.max_lag_time": "model/resolve.py",
    "database.replication.wal.drop_at": "bootstrap.py",
    "database.replication.wal.warn_at": "model/resolve.py",
    "database.replication.source_guard.connections_warn_percent": "model/resolve.py",
    "database.replication.source_guard.connections_give_way_percent": "model/resolve.py",
    "database.replication.source_guard.connections_patience": "model/resolve.py",
    "database.replication.source_guard.free_disk_warn": "model/resolve.py",
    "database.replication.source_guard.free_disk_give_way": "model/resolve.py",
    "database.replication.source_guard.slow_answer": "model/resolve.py",
    "database.switch.lock_timeout": "bootstrap.py",
    "database.switch.attempts": "model/resolve.py",
    "database.switch.retry_after": "model/resolve.py",
    "database.switch.drain_timeout": "bootstrap.py",
    "database.switch.end_long_transactions": "bootstrap.py",
    "database.switch.sequence_margin": "bootstrap.py",
    "files.interval": "model/resolve.py",
    "traffic.ladder.start": "model/file/traffic.py",
    "traffic.ladder.step": "model/file/traffic.py",
    "traffic.ladder.max_step": "model/file/rules/traffic.py",
    "traffic.ladder.stops": "model/file/traffic.py",
    "traffic.ladder.bake": "model/file/traffic.py",
    "traffic.ladder.long_bake": "model/file/traffic.py",
    "traffic.sticky_header": "rehearsal/data_center.py",
    "traffic.warm_up": "model/resolve.py",
    "traffic.strategy": "model/resolve.py",
    "traffic.blue_green.preview": "model/resolve.py",
    "traffic.blue_green.check_every": "model/resolve.py",
    "traffic.blue_green.promote_automatically": "model/resolve.py",
    "traffic.blue_green.watch": "model/file/traffic.py",
    "traffic.keep_warm": "model/resolve.py",
    "limits.max_error_rate_percent": "model/resolve.py",
    "limits.max_p95": "model/resolve.py",
    "limits.burn_rate.objective_percent": "model/resolve.py",
    "limits.burn_rate.windows.length": "model/resolve.py",
    "limits.burn_rate.windows.max_burn_rate": "model/resolve.py",
    "limits.guards.minimum_requests": "model/resolve.py",
    "limits.guards.minimum_errors": "model/resolve.py",
    "limits.judge.alpha_percent": "model/resolve.py",
    "limits.judge.latency_margin_percent": "model/resolve.py",
    "limits.judge.latency_tolerance_percent": "model/resolve.py",
    "limits.judge.error_tolerance": "model/resolve.py",
    "limits.judge.link_allowance": "model/resolve.py",
    "limits.judge.minimum_requests": "model/resolve.py",
    "limits.judge.look_every": "model/resolve.py",
    "limits.decide_on_data_younger_than": "model/resolve.py",
    "limits.hold_at_most": "model/resolve.py",
    "limits.rollback_within": "model/resolve.py",
    "verification.hash": "bootstrap.py",
    "verification.chunk_rows": "bootstrap.py",
    "verification.chunk_rows_live": "bootstrap.py",
    "verification.workers": "bootstrap.py",
    "verification.max_statements_per_second": "bootstrap.py",
    "verification.max_share_percent": "bootstrap.py",
    "verification.rounds": "bootstrap.py",
    "verification.time_limit": "bootstrap.py",
    "verification.key_attempts_for": "bootstrap.py",
    "bake.duration": "model/resolve.py",
    "bake.fail_back_automatically": "model/resolve.py",
    "bake.max_way_back_lag": "model/resolve.py",
    "approvals.phase": "model/resolve.py",
    "approvals.before_share": "model/resolve.py",
    "approvals.valid_for": "model/resolve.py",
    "approvals.by": "model/resolve.py",
    "approvals.count": "model/resolve.py",
    "notifications.webhooks.name": "bootstrap.py",
    "notifications.webhooks.url": "bootstrap.py",
    "notifications.webhooks.signing_key": "bootstrap.py",
    "notifications.webhooks.topics": "bootstrap.py",
    "notifications.email.host": "bootstrap.py",
    "notifications.email.port": "bootstrap.py",
    "notifications.email.starttls": "bootstrap.py",
    "notifications.email.sender": "bootstrap.py",
    "notifications.email.to": "bootstrap.py",
    "notifications.email.topics": "bootstrap.py",
    "planning.decision.weights": "planning/decisions/approaches.py",
    "planning.decision.options.name": "planning/decisions/approaches.py",
    "planning.decision.options.scores": "planning/decisions/approaches.py",
    "planning.risks.title": "planning/risks/assembly.py",
    "planning.risks.category": "planning/risks/assembly.py",
    "planning.risks.impact": "planning/risks/assembly.py",
    "planning.risks.probability": "planning/risks/assembly.py",
    "planning.risks.owner": "planning/risks/assembly.py",
    "planning.risks.mitigation": "planning/risks/assembly.py",
    "planning.risks.contingency": "planning/risks/assembly.py",
    "planning.decision.records": "cli/decide.py",
    "kubernetes.namespace": "infra/kubernetes/names.py",
    "kubernetes.judged_by": "model/file/built.py",
    "kubernetes.routing": "infra/kubernetes/routing.py",
    "kubernetes.host": "infra/kubernetes/names.py",
    "kubernetes.gateway": "infra/kubernetes/routing.py",
    "kubernetes.replicas": "infra/kubernetes/rollout.py",
    "kubernetes.autoscaling.max_replicas": "infra/kubernetes/services.py",
    "kubernetes.autoscaling.cpu_percent": "infra/kubernetes/services.py",
    "kubernetes.port": "infra/kubernetes/pods.py",
    "kubernetes.health_path": "infra/kubernetes/pods.py",
    "kubernetes.cpu": "infra/kubernetes/pods.py",
    "kubernetes.memory": "infra/kubernetes/pods.py",
    "kubernetes.prometheus": "infra/kubernetes/analysis.py",
    "kubernetes.prometheus_token": "infra/kubernetes/analysis.py",
    "kubernetes.request_metric": "infra/kubernetes/queries.py",
    "kubernetes.latency_metric": "infra/kubernetes/queries.py",
    "kubernetes.arm_label": "infra/kubernetes/queries.py",
    "kubernetes.check_image": "infra/kubernetes/checks.py",
    "rehearsal.time_scale": "model/resolve.py",
    "rehearsal.longest_wait": "model/resolve.py",
    "rehearsal.requests_per_second": "rehearsal/data_center.py",
    "rehearsal.write_fraction": "rehearsal/data_center.py",
    "rehearsal.users": "rehearsal/data_center.py",
    "rehearsal.service_time.median": "rehearsal/data_center.py",
    "rehearsal.service_time.sigma": "rehearsal/data_center.py",
    "rehearsal.rows": "rehearsal/data_center.py",
    "rehearsal.documents": "rehearsal/data_center.py",
    "rehearsal.wan_round_trip": "cli/rehearse.py",
    "rehearsal.approve": "model/resolve.py",
    "rehearsal.seed": "cli/rehearse.py",
    "rehearsal.ports.first": "rehearsal/layout.py",
    "rehearsal.ports.last": "rehearsal/layout.py",
    "rehearsal.ports.router": "rehearsal/layout.py",
    "rehearsal.ports.source_database": "rehearsal/layout.py",
    "rehearsal.ports.target_database": "rehearsal/layout.py",
    "planning.readiness_weights": "cli/readiness.py",
    "source.inventory": "cli/plan.py",
    "planning.start": "planning/plan/assembly.py",
    "planning.deadline": "planning/plan/placing.py",
    "planning.servers_per_wave": "planning/plan/placing.py",
    "planning.pilot_servers": "planning/plan/placing.py",
    "planning.windows.days": "planning/schedule/openings.py",
    "planning.windows.start": "planning/schedule/openings.py",
    "planning.windows.duration": "planning/schedule/openings.py",
    "planning.time_zone": "planning/schedule/openings.py",
    "planning.blackouts.first": "planning/schedule/openings.py",
    "planning.blackouts.last": "planning/schedule/openings.py",
    "planning.blackouts.reason": "planning/schedule/remarks.py",
    "planning.teams.name": "planning/plan/wishes.py",
    "planning.teams.servers_per_wave": "planning/plan/wishes.py",
    "planning.together": "planning/plan/wishes.py",
    "planning.apart": "planning/plan/placing.py",
    "planning.latency_critical": "planning/plan/wishes.py",
    "planning.out_of_scope": "planning/plan/movers.py",
    "migration.description": "planning/executive/templates/executive.html.j2",
    "planning.teams.people": "planning/executive/work.py",
    "planning.teams.daily_rate": "planning/executive/work.py",
    "planning.teams.days": "planning/executive/work.py",
    "planning.success_criteria": "planning/executive/approach.py",
    "planning.contacts": "planning/executive/assembly.py",
    "planning.costs.currency": "planning/executive/budgeting.py",
    "planning.costs.monthly": "planning/executive/budgeting.py",
    "planning.costs.once": "planning/executive/budgeting.py",
    "planning.costs.usd_rate": "planning/executive/budgeting.py",
    "planning.costs.current_monthly": "planning/executive/budgeting.py",
    "planning.costs.contingency_percent": "planning/executive/budgeting.py",
}
KEPT_BY_ITS_TYPE = {"version"}
# Rows that speak only where a file asks for something else than what is done anyway, or that asks for it at all.
SPEAKS_WHEN_IT_MATTERS = {
    "source.servers",
    "database.replication.engine",
    "files.verify_checksums",
    "traffic.router",
    "shadow",
    "notifications.terminal",
    "notifications.webhooks",
    "notifications.email",
    "planning.teams",
}


def leaves(section: type[Section], place: tuple[str, ...] = ()) -> Iterator[str]:
    for name, described in section.model_fields.items():
        inner = section_of(described.annotation)
        if inner:
            yield from leaves(inner, (*place, name))
        else:
            yield ".".join((*place, name))


def rows_over(leaf: str) -> list[_Planned]:
    return [row for row in _PLANNED if f"{leaf}.".startswith(f"{row.section}.")]


def test_every_key_is_used_or_told_as_not_built() -> None:
    """Nothing that a file may say is silently ignored. A row that speaks only now and then leaves the rest to use."""
    ignored = [
        leaf
        for leaf in leaves(MigrationFile)
        if leaf not in USED
        and not any(row.when is None or row.section in SPEAKS_WHEN_IT_MATTERS for row in rows_over(leaf))
    ]
    assert ignored == []


def test_no_key_is_told_as_not_built_when_it_is_always_used() -> None:
    assert [leaf for leaf in USED if any(row.when is None for row in rows_over(leaf))] == []
    assert set(USED) <= set(leaves(MigrationFile))


@pytest.mark.parametrize(("leaf", "module"), USED.items(), ids=USED)
def test_a_used_key_is_read_where_the_table_says(leaf: str, module: str) -> None:
    if leaf not in KEPT_BY_ITS_TYPE:
        code = (ROOT / "src" / "crossfade" / module).read_text(encoding="utf-8")
        assert re.search(rf"\.{leaf.rpartition('.')[2]}\b", code), f"{module} does not read {leaf}"


@pytest.mark.parametrize(
    ("changes", "section"),
    [
        ({"database__schemas": ["public"]}, "database.schemas"),
        ({"database__application_roles": ["app"]}, "database.application_roles"),
        ({"database__name": "books"}, "database.name"),
        ({"database__source__version": 14}, "database.source.version"),
        ({"source__servers": [{"name": "a", "address": "192.168.1.1"}]}, "source.servers"),
        ({"notifications__terminal": False}, "notifications.terminal"),
        ({"notifications__webhooks": [{"name": "chat", "url_secret": "env:CHAT"}]}, "notifications.webhooks"),
        (
            {"notifications__email": [{"host": "h", "sender": "a@b", "to": ["c@d"], "credentials": "env:MAIL"}]},
            "notifications.email",
        ),
        ({"files__verify_checksums": False}, "files.verify_checksums"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_the_rehearsal_does_its_own_way_is_told_only_when_asked_otherwise(
    changes: dict[str, Any], section: str
) -> None:
    assert section in sections(with_values(**changes))
    quiet = with_values(
        database__schemas=["ledger"],
        database__application_roles=["ledger_app"],
        database__source__version=13,
        source__servers=[{"name": "a"}],
        approvals=[{"phase": "cutover", "by": ["ann"]}],
        notifications__terminal=True,
        notifications__webhooks=[{"name": "chat", "url": "http://127.0.0.1:9000/"}],
        files__verify_checksums=True,
    )
    assert section not in sections(quiet)
