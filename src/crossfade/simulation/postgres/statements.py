"""From the text of a statement to what it does. A statement that is not known is an error that names it."""

import re
from collections.abc import Callable
from functools import lru_cache

from crossfade.database import state
from crossfade.database.fence import _BEGINS as BEGINS
from crossfade.database.fence import _CLIENT_CHECK as CLIENT_CHECK
from crossfade.database.fence import _END_HOLDERS as END_SWITCHES
from crossfade.database.way_back import _BEGIN_AT as BEGIN_AT
from crossfade.simulation.postgres import acts, replication_acts
from crossfade.simulation.postgres.acts import Act, call, lock_table
from crossfade.simulation.postgres.task import ServerError

ACTS: dict[str, Act] = {
    **{state.script(part): acts.install for part in ("state.sql", "grants.sql", "switch.sql")},
    "INSERT INTO crossfade.scope SELECT unnest(%s::name[]) ON CONFLICT DO NOTHING": acts.set_scope,
    "INSERT INTO crossfade.writer (side, open) VALUES (%s, %s) ON CONFLICT DO NOTHING": acts.set_writer,
    "INSERT INTO crossfade.made VALUES (%s, %s) ON CONFLICT DO NOTHING": acts.remember,
    "SET client_min_messages = error; DROP SCHEMA IF EXISTS crossfade CASCADE": acts.uninstall,
    acts.CREATE_FIRST_HALF: acts.first_half,
    acts.CREATE_SECOND_HALF: acts.second_half,
    acts.DROP_APPLICATION: acts.drop_application,
    "SELECT pg_try_advisory_lock(%s, %s)": acts.try_lock,
    "SELECT pg_advisory_unlock(%s, %s)": acts.unlock,
    "SELECT pg_terminate_backend(%s)": acts.terminate,
    CLIENT_CHECK.strip(): acts.check_client,
    END_SWITCHES.strip(): acts.end_switches,
    "SELECT crossfade.open(%s)": call("crossfade.open"),
    "SELECT crossfade.claim(%s, %s)": call("crossfade.claim"),
    "SELECT role_name FROM crossfade.plan_fence(%s)": call("crossfade.plan_fence"),
    "SELECT crossfade.plan_opening()": call("crossfade.plan_opening", []),
    "SELECT crossfade.beat()": call("crossfade.beat", []),
    "SELECT crossfade.echoed(%s)": call("crossfade.echoed"),
    "INSERT INTO crossfade.slot_record (slot_name, system_id, timeline) SELECT %s, system_identifier,"
    " substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) FROM pg_control_system()": replication_acts.note_slot,
    "UPDATE crossfade.slot_record SET lost_reason = coalesce(lost_reason, %s) WHERE slot_name = %s": (
        replication_acts.lose_slot
    ),
    "SELECT pg_create_logical_replication_slot(%s, 'pgoutput')": replication_acts.create_slot(),
    "SELECT pg_drop_replication_slot(%s)": replication_acts.drop_slot,
    "SELECT pg_replication_slot_advance(s.slot_name, greatest(%s::pg_lsn, s.confirmed_flush_lsn))"
    " FROM pg_replication_slots s, crossfade.writer w"
    " WHERE s.slot_name = %s AND NOT w.open AND NOT s.active": replication_acts.advance_closed,
    "SELECT pg_log_standby_snapshot()": replication_acts.log_snapshot,
    "SELECT pg_logical_emit_message(true, 'crossfade', 'nudge')": replication_acts.emit_message,
    "SELECT pg_logical_emit_message(true, 'crossfade', 'position')": replication_acts.emit_message,
}
SCRIPTS = {text for text in ACTS if ";" in text}
"""Texts of several statements that are understood as one."""


def split(script: str) -> list[str]:
    if script in SCRIPTS:
        return [script]
    return [part for part in (statement.strip() for statement in script.split(";")) if part]


def act_of(statement: str) -> Act:
    """Raises `ServerError` (42601) for what the model does not know."""
    known = ACTS.get(statement)
    return known if known is not None else _by_shape(statement)


def _named_call(found: re.Match[str]) -> Act:
    args = [part.strip().strip("'") for part in found[3].split(",")] if found[3] else []
    return call(found[2], args, label=found[1])


def _shaped(text: str, **fields: str) -> re.Pattern[str]:
    """A statement of ours with places to fill, as a pattern."""
    pattern = re.escape(text.strip())
    for name, field in fields.items():
        pattern = pattern.replace(re.escape(f"{{{name}}}"), field)
    return re.compile(pattern)


_NAME = r'"?(\w+)"?'
_SHAPES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Act]]] = [
    (re.compile(r"SELECT (?:'(\w+)', )?(crossfade\.\w+)\((.*)\)"), _named_call),
    (_shaped(BEGINS, slot=r"(\w+)"), lambda m: replication_acts.note_beginning(m[1])),
    (
        _shaped(BEGIN_AT.split(";")[2], name=r"(\w+)", at=r"([0-9A-F/]+)"),
        lambda m: replication_acts.advance_origin(m[2], m[1]),
    ),
    (re.compile(r"LOCK TABLE ONLY (\S+) IN SHARE MODE"), lambda m: lock_table(m[1])),
    (re.compile(r"SELECT '(\w+)', extract\(epoch FROM clock_timestamp\(\)\)"), lambda m: acts.point(m[1])),
    (
        re.compile(r"SELECT pg_replication_slot_advance\('(\w+)', pg_current_wal_flush_lsn\(\)\)"),
        lambda m: replication_acts.advance_now(m[1]),
    ),
    (
        re.compile(r"SELECT pg_create_logical_replication_slot\('(\w+)', 'pgoutput', true\)"),
        lambda m: replication_acts.create_slot(m[1], temporary=True),
    ),
    (
        re.compile(rf"CREATE PUBLICATION {_NAME} FOR TABLE (.+)"),
        lambda m: replication_acts.create_publication(m[1], tuple(m[2].replace('"', "").split(", "))),
    ),
    (re.compile(rf"DROP PUBLICATION IF EXISTS {_NAME}"), lambda m: replication_acts.drop_publication(m[1])),
    (
        re.compile(rf"CREATE SUBSCRIPTION {_NAME} CONNECTION .* PUBLICATION \S+ WITH \(.*copy_data = (\w+).*\)"),
        lambda m: replication_acts.create_subscription(m[1], copy=m[2] == "True"),
    ),
    (re.compile(rf"ALTER SUBSCRIPTION {_NAME} (.+)"), lambda m: replication_acts.alter_subscription(m[1], m[2])),
    (re.compile(rf"DROP SUBSCRIPTION {_NAME}"), lambda m: replication_acts.drop_subscription(m[1])),
    (re.compile(r"VACUUM \(ANALYZE\) (\S+)"), lambda _: acts.vacuum),
    (re.compile(r"INSERT INTO crossfade\.made VALUES \('(\w+)', '(.*)'\)"), lambda m: acts.remembering(m[1], m[2])),
    (re.compile(r"SET (LOCAL )?(\w+) = (.+)"), lambda m: acts.set_parameter(m[2], m[3])),
    (re.compile(r"RESET (\w+)"), lambda m: acts.set_parameter(m[1], "0")),
]


@lru_cache(maxsize=512)
def _by_shape(statement: str) -> Act:
    for shape, made in _SHAPES:
        found = shape.fullmatch(statement)
        if found is not None:
            return made(found)
    raise ServerError("42601", f"the model does not understand: {statement}")
