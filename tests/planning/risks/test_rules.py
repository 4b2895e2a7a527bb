"""Each rule is held against a file or inventory that shows its risk, and one that does not."""

from datetime import date
from typing import Any

import pytest

from crossfade.planning.inventory.records import (
    Account,
    Application,
    Conflict,
    Database,
    Dependency,
    End,
    Inventory,
    Place,
    Power,
    Problem,
    Server,
)
from crossfade.planning.risks.rating import Rating
from crossfade.planning.risks.register import Origin
from crossfade.planning.risks.rules import ALL
from tests.planning.risks.seeing import risks

ROW = (Place(source="list.csv", sheet="", row=7),)
WEB = Server(name="web", owner="Ann", places=ROW, power=Power.ON)
GOOD: dict[str, Any] = {
    "database__source__version": 17,
    "database__size": "50GB",
    "connectivity__direct_connect": {"enabled": True, "connection": "dxcon-fg000001"},
    "approvals": [{"phase": "cutover", "count": 2}, {"phase": "finalize", "count": 2}],
    "notifications__webhooks": [{"name": "chat", "url": "https://chat.example/"}],
    "planning__contacts": {"on-call": "pager 1"},
    "planning__teams": [{"name": "a", "servers_per_wave": 5, "people": 3}],
    "planning__start": "2027-01-01",
    "planning__deadline": "2027-06-30",
    "planning__windows": [{"days": ["sunday"], "start": "01:00", "duration": "6h"}],
    "shadow__enabled": True,
    "metrics__business": [{"name": "orders", "good": "Ledger Good{Arm={arm}}", "total": "Ledger All{Arm={arm}}"}],
    "servers__count": 1,
}
COMMON = {known.id for known in ALL if known.common is not None}
DMS = {"database__replication__engine": "dms", "database__replication__dms": {"numeric_scale": 6}}


def known(**told: Any) -> Inventory:
    return Inventory(**{"servers": (WEB,), "dependencies": (asked(),), "accounts": (account(),), **told})


def account() -> Account:
    return Account(source="list.csv", sheet="", format="plain")


def asked(source: End | None = None, destination: End | None = None) -> Dependency:
    return Dependency(
        source=source or End(server="web", address="192.168.1.2"),
        destination=destination or End(server="web", address="192.168.1.1"),
        places=ROW,
    )


def applications(*owners: str | None) -> tuple[Application, ...]:
    return tuple(Application(name=f"a{i}", owner=owner, places=ROW) for i, owner in enumerate(owners))


def test_only_what_is_common_is_told_when_nothing_is_wrong() -> None:
    found = risks(known(), **GOOD)
    assert set(found) == COMMON
    assert {(risk.origin, risk.evidence) for risk in found.values()} == {(Origin.COMMON, ())}


@pytest.mark.parametrize(
    ("own", "changes", "place"),
    [
        ("postgresql-out-of-support", {"database__source__version": 13}, "database.source.version"),
        ("full-load-too-long", {"database__size": "2TB"}, "database.size"),
        ("full-load-too-long", {"connectivity__vpn": {"bandwidth": "10Mbps"}}, "connectivity.vpn.bandwidth"),
        (
            "large-objects-cut",
            {**DMS, "database__replication__lob": {"mode": "limited"}},
            "database.replication.lob.mode",
        ),
        ("numbers-rounded", {"database__replication__engine": "dms"}, "database.replication.dms.numeric_scale"),
        ("no-replica-identity", {"database__preflight_accept": {"audit": "old"}}, "database.preflight_accept"),
        (
            "slot-lost",
            {"database__source": {"version": 16, "highly_available": True}},
            "database.source.highly_available",
        ),
        ("target-without-standby", {"database__target": {"multi_az": False}}, "database.target.multi_az"),
        ("link-without-backup", {"connectivity__direct_connect": {}}, "connectivity.direct_connect.enabled"),
        (
            "link-without-backup",
            {"connectivity__cut_over_without_backup": True},
            "connectivity.cut_over_without_backup",
        ),
        ("backup-narrower", {"connectivity__vpn": {"bandwidth": "2Gbps"}}, "connectivity.direct_connect.bandwidth"),
        (
            "addresses-change",
            {"source__servers": [{"name": "a", "address": "192.168.1.1"}]},
            "source.servers[0].address",
        ),
        ("tls-not-verified", {"database__target": {"tls": "require"}}, "database.target.tls"),
        ("one-person-approves", {"approvals": []}, "approvals"),
        ("one-person-approves", {"approvals": [{"phase": "finalize"}]}, "approvals[0].count"),
        ("nobody-is-told", {"notifications__webhooks": []}, "notifications"),
        ("nobody-to-call", {"planning__contacts": {}}, "planning.contacts"),
        ("team-of-one", {"planning__teams": [{"name": "a", "servers_per_wave": 5}]}, "planning.teams[0].people"),
        ("no-shadow", {"shadow__enabled": False}, "shadow.enabled"),
        ("not-kept-warm", {"traffic__keep_warm": "0s"}, "traffic.keep_warm"),
        ("short-bake", {"bake__duration": "23h"}, "bake.duration"),
        ("fail-back-by-hand", {"bake__fail_back_automatically": False}, "bake.fail_back_automatically"),
        ("all-at-once", {"traffic__strategy": "blue-green"}, "traffic.strategy"),
        ("business-unwatched", {"metrics__business": []}, "metrics.business"),
        ("posture-accepted", {"posture__require_mfa": False}, "posture.require_mfa"),
        ("posture-accepted", {"posture__accept": {"open-port": "for a week"}}, "posture.accept"),
        ("no-dates", {"planning__deadline": None}, "planning.deadline"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_risk_is_found_where_the_file_shows_it(own: str, changes: dict[str, Any], place: str) -> None:
    without = risks(known(), **GOOD).get(own)
    found = risks(known(), **(GOOD | changes))[own]
    assert without is None or without.origin is Origin.COMMON
    assert found.origin is Origin.FOUND
    assert any(f"{place} (left" in one.place or one.place.endswith(f" {place}") for one in found.evidence)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("dependencies-unknown", {"dependencies": ()}),
        ("dependencies-unknown", {"servers": tuple(Server(name=n, places=ROW) for n in ("web", "a", "b"))}),
        ("dependencies-unknown", {"dependencies": (asked(destination=End(address="10.9.9.9")),)}),
        ("addresses-change", {"dependencies": (asked(source=End(address="10.9.9.9")),)}),
        ("single-owner", {"applications": applications("Ann", "Ann", "Ann", "Bob")}),
        ("owner-unknown", {"applications": applications("Ann", "Bob", None)}),
        ("owner-unknown", {"servers": (Server(name="web", places=ROW),)}),
        ("databases-left-behind", {"databases": (Database(name="crm", places=ROW),)}),
        (
            "postgresql-out-of-support",
            {"databases": (Database(name="ledger", engine="PostgreSQL", version="9.6", places=ROW),)},
        ),
        (
            "shared-services-stay",
            {"servers": (WEB, Server(name="dns01", owner="Ann", places=ROW)), "dependencies": ()},
        ),
        (
            "tied-servers",
            {
                "applications": tuple(Application(name=n, owner="Ann", servers=("web",), places=ROW) for n in "ab"),
                "servers": (Server(name="web", owner="Ann", applications=("a", "b"), places=ROW),),
            },
        ),
        ("servers-miscounted", {"servers": (WEB, WEB)}),
        ("inventory-not-understood", {"conflicts": (Conflict(name="web", column="owner", told={"Ann": ROW}),)}),
        (
            "inventory-not-understood",
            {"problems": (Problem(source="list.csv", sheet="", row=7, column="x", problem="is odd", remedy="do"),)},
        ),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_risk_is_found_where_the_inventory_shows_it(own: str, told: dict[str, Any]) -> None:
    found = risks(known(**told), **GOOD)[own]
    assert found.origin is Origin.FOUND
    assert "list.csv:7" in [one.place for one in found.evidence]


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("single-owner", {"applications": applications("Ann", "Ann", "Bob", "Bob")}),
        ("owner-unknown", {"applications": applications("Ann", "Bob")}),
        ("databases-left-behind", {"databases": (Database(name="Ledger", places=ROW),)}),
        ("servers-miscounted", {"servers": (WEB, Server(name="old", power=Power.OFF))}),
        ("data-center-not-looked-at", {}),
        ("dependencies-unknown", {"servers": (WEB, Server(name="a"))}),
        (
            "dependencies-unknown",
            {
                "servers": (Server(name="a", applications=("shop",)),),
                "dependencies": (asked(End(application="shop"), End(application="shop")),),
            },
        ),
    ],
)
def test_a_risk_is_not_told_where_the_inventory_shows_that_it_is_none(own: str, told: dict[str, Any]) -> None:
    assert own not in risks(known(**told), **GOOD)


def test_support_that_ends_before_the_deadline_is_a_risk_already() -> None:
    late = GOOD | {"planning__deadline": "2030-01-01"}
    assert "postgresql-out-of-support" in risks(known(), **late)
    assert "postgresql-out-of-support" in risks(known(), on=date(2029, 11, 9), **(GOOD | {"planning__deadline": None}))


def test_what_is_left_counts_only_what_the_file_contains() -> None:
    changes: dict[str, Any] = {"connectivity__direct_connect": {}}
    waits = risks(known(), **(GOOD | changes))["link-without-backup"]
    hurries = risks(known(), **(GOOD | changes | {"connectivity__cut_over_without_backup": True}))[
        "link-without-backup"
    ]
    assert [one.in_plan for one in waits.mitigations] == [True]
    assert waits.residual == waits.rating.lowered(impact=1)
    assert [one.in_plan for one in hurries.mitigations] == [False]
    assert hurries.residual == hurries.rating
    assert hurries.rating.tenths > waits.rating.tenths


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_rule_says_what_to_do_and_what_tells_of_it(rule: Any) -> None:
    assert rule.title
    assert rule.contingencies
    assert rule.limits
    assert 1 <= rule.impact <= 4
    assert all(one.impact or one.probability for one in rule.countered)
    assert [one.id for one in ALL].count(rule.id) == 1
    if rule.common:
        rating = Rating(impact=rule.impact, probability=rule.common)
        everything = {"impact": sum(c.impact for c in rule.countered)}
        assert rating.lowered(**everything).tenths <= rating.tenths
