from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.model.file import Fault, MigrationFile, load
from crossfade.model.file.tree import Path
from crossfade.model.terms import Phase
from tests.model.file.files import faults, minimal, said, sound, with_values
from tests.model.file.published import EXAMPLE


def test_minimal_file_is_sound_when_loaded() -> None:
    file = sound(with_values())
    assert file.approval(Phase.CUTOVER)
    assert file.approval(Phase.FINALIZE)
    assert not file.shadow.enabled
    assert not file.aws_tools.discovery


def test_server_names_are_as_many_as_servers_when_few_are_given() -> None:
    file = sound(with_values(servers__count=4, source__servers=[{"name": "ledger-1"}, {"name": "Server-02"}]))
    assert file.server_names() == ("ledger-1", "Server-02", "server-01", "server-03")
    assert len(set(sound(with_values()).server_names())) == 12


def test_all_faults_are_told_when_there_are_many() -> None:
    text = """\
version: 1
migration:
  name: Ledger
environment:
  sufix: dev
  suffix: dev
source:
  cidr: 10.0.0.0/8
servers:
  count: twelve
database:
  name: ledger
  size: 500
  application_roles: [app]
traffic:
  ladder:
    step: 30
    bake: 10:30
approvals:
  - phase: cutovr
"""
    assert [(fault.line, fault.column, fault.path) for fault in faults(text)] == [
        (2, 1, "migration.owner"),
        (3, 3, "migration.name"),
        (5, 3, "environment.sufix"),
        (8, 3, "source.cidr"),
        (10, 3, "servers.count"),
        (13, 3, "database.size"),
        (17, 5, "traffic.ladder.step"),
        (18, 5, "traffic.ladder.bake"),
        (20, 5, "approvals[0].phase"),
    ]
    told = said(text)
    assert told["environment.sufix"] == "is not known — did you mean `suffix`?"
    assert told["traffic.ladder.step"] == "30 passes max_step 20 — set step to 20 or less"
    assert "10m30s" in told["traffic.ladder.bake"]
    assert "cutover" in told["approvals[0].phase"]
    assert "overlaps" in told["source.cidr"]


@pytest.mark.parametrize(
    ("lines", "path", "words"),
    [
        ("traffic: {sticky_header: on}", "traffic.sticky_header", 'YAML reads on as true — write "on" in quotes'),
        ("bake: {duration: 10:30}", "bake.duration", "YAML reads 10:30 as the number 630 — write it with units"),
        ("bake: {duration: 15}", "bake.duration", "15 has no unit — write a number with ms, s, m, h or d"),
        ("bake: {duration: no}", "bake.duration", "YAML reads no as false"),
        ("files: {shares: no}", "files.shares", "YAML reads no as false"),
        ("limits:", "limits", "is empty — fill it, or remove the line"),
        ("limits: 5", "limits", "must be a section"),
        ("approvals: {phase: cutover}", "approvals", "must be a list"),
        ("shadow: {enabled: 1}", "shadow.enabled", "must be true or false"),
        ("rehearsal: {users: 1.5}", "rehearsal.users", "must be a whole number"),
        ("rehearsal: {users: 0}", "rehearsal.users", "0 is out of range — write at least 1"),
        ("rehearsal: {seed: 0xfffffffffffffffffffff}", "rehearsal.seed", "too large a number"),
        ("rehearsal: {write_fraction: .nan}", "rehearsal.write_fraction", "must be a number"),
        ("rehearsal: {rows: !!python/object:os.system x}", "rehearsal.rows", "has a YAML tag"),
        ("planning: {start: 2027-13-01}", "planning.start", "must be a date"),
        ("facade: {salt: x, salt: y}", "facade.salt", "is given twice, first in line"),
        ("facade: {<<: {salt: x}}", "facade", "merge key"),
        ('facade: {salt: "\\ud800"}', "facade.salt", "characters that are none"),
        ("connectivity: {proxy: ftp://x}", "connectivity.proxy", "is not a web address"),
        ("trafic: {}", "trafic", "did you mean `traffic`?"),
        ("traffic: {dns: {ttl: 5m}}", "traffic.dns.ttl", "write 1s to 60s"),
    ],
)
def test_remedy_helps_when_value_is_wrong(lines: str, path: str, words: str) -> None:
    assert words in said(with_values() + lines + "\n")[path]


def test_time_of_day_asks_for_quotes_when_yaml_read_a_number() -> None:
    window = "planning: {windows: [{days: [saturday], start: 22:00, duration: 6h}]}\n"
    assert 'write "22:00" in quotes' in said(with_values() + window)["planning.windows[0].start"]


def test_account_asks_for_quotes_when_yaml_read_a_number() -> None:
    text = with_values().replace("suffix: dev", "suffix: dev\n  account: 012345670123")
    assert 'write "012345670123" in quotes' in said(text)["environment.account"]


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ("database__password", "database.password"),
        ("database__source__credentials", "database.source.credentials"),
        ("metrics__credentials", "metrics.credentials"),
        ("connectivity__proxy", "connectivity.proxy"),
        ("database__source__dsn", "database.source.dsn"),
    ],
)
def test_secret_is_refused_and_not_repeated_when_written_inline(lines: str, path: str) -> None:
    secret = "https://admin:hunter2@db.example/" if "proxy" in lines else "hunter2"
    found = faults(with_values(**{lines: secret}))
    assert [fault.path for fault in found] == [path]
    assert "hunter2" not in repr(found)
    assert "secret" in found[0].remedy


def test_key_is_not_repeated_when_it_is_no_name() -> None:
    found = faults(with_values(**{"database__postgres://u:hunter2@h": 1}))
    assert "hunter2" not in repr(found)
    assert found[0].path == "database.…"


def test_rules_speak_when_other_values_of_the_section_are_wrong() -> None:
    told = said(with_values(traffic__ladder={"step": 30, "bake": 15, "nonsense": 1}))
    assert set(told) == {"traffic.ladder.step", "traffic.ladder.bake", "traffic.ladder.nonsense"}


def test_rules_are_silent_when_what_they_compare_is_wrong() -> None:
    assert set(said(with_values(traffic__ladder={"step": 30, "max_step": "much"}))) == {"traffic.ladder.max_step"}


def test_rules_do_not_count_a_list_when_an_entry_is_wrong() -> None:
    tiers = [{"name": "web", "role": "web", "servers": 4}, {"name": "api", "role": "api", "servers": "eight"}]
    assert set(said(with_values(source__tiers=tiers))) == {"source.tiers[1].servers"}


def test_one_fault_is_told_when_a_value_cannot_be_read_at_all() -> None:
    (fault,) = faults(with_values() + "rehearsal: {rows: !!binary xxxx}\n")
    assert fault.path == "rehearsal.rows"


def test_rules_name_the_right_entry_when_an_entry_before_is_wrong() -> None:
    hooks = [{"url": "https://example.com/a"}, {"name": "b"}, {"name": "c", "url": "https://example.com/c"}]
    assert set(said(with_values(notifications__webhooks=hooks))) == {
        "notifications.webhooks[0].name",
        "notifications.webhooks[1]",
    }


def test_lines_are_right_when_file_has_comments() -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace("    step: 10%", "    step: 30%")
    (fault,) = faults(text)
    line = text.splitlines()[fault.line - 1]
    assert line[fault.column - 1 :].startswith("step: 30%")


@pytest.mark.parametrize("key", list(minimal()))
def test_missing_section_is_named_when_left_out(key: str) -> None:
    data = minimal()
    del data[key]
    assert key in said(yaml.safe_dump(data))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        ("- a list", "must be a section"),
        ("just words", "must be a section"),
        ("a:\n\tb: 1", "never with tabs"),
        ("a: 1\n---\nb: 2", "second document"),
        ("a: *nowhere", "undefined alias"),
        ("a: b: c", "not valid YAML"),
        ('a: "b', "not valid YAML"),
        ("a: \x00", "does not allow"),
        ("!foo {a: 1", "not valid YAML"),
        ("[" * 5000, "nested deeper"),
        ("a: " + "{a: " * 30 + "1" + "}" * 30, "nested deeper"),
        ("&a [*a]", "too deep or too large"),
        ("a: &a {b: *a}", "too deep or too large"),
        ("a: &a 1\nb: [" + "*a," * 200 + "]", "repeats anchors"),
        ("a: [" + "1," * 120_000 + "]", "more than 50000 values"),
        ("x" * 1_000_001, "larger than 1 MB"),
        (
            "a: &a [x,x,x,x,x,x,x,x]\n"
            + "".join(f"{after}: &{after} [{f'*{before},' * 8}]\n" for before, after in pairwise("abcdefgh")),
            "too deep or too large",
        ),
    ],
)
def test_text_is_refused_when_it_is_no_migration_file(text: str, words: str) -> None:
    found = faults(text)
    assert words in " ".join(f"{fault.problem} {fault.remedy}" for fault in found)
    assert all(fault.line >= 1 and fault.column >= 1 for fault in found)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_judged_without_an_exception(text: str) -> None:
    assert isinstance(load(text, "x"), tuple)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
example: Any = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))


def all_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield from all_paths(inner, (*path, key))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(list(all_paths(example))), json_values), min_size=1, max_size=4))
def test_any_value_is_judged_without_an_exception_when_put_anywhere(changes: list[tuple[Path, Any]]) -> None:
    data = yaml.safe_load(yaml.safe_dump(example))
    for path, value in changes:
        place = data
        try:
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken its place away
    result = load(yaml.safe_dump(data, allow_unicode=True), "migration.yaml")
    assert isinstance(result, MigrationFile) or all(isinstance(fault, Fault) and fault.remedy for fault in result)
