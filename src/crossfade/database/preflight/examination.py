"""Asks both sides everything at once; one answer that is refused keeps nothing else from being told."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from crossfade.database import state
from crossfade.database.errors import StatementFailed
from crossfade.database.preflight import contents, differences, rights
from crossfade.database.preflight.catalog import ASKED, NOT_EXAMINED, UNREACHABLE
from crossfade.database.preflight.check import BLOCKER, WARNING, Check, Found, Options, Place
from crossfade.database.preflight.drifted import drifted
from crossfade.database.preflight.roles import FENCE_FAILED, FENCE_LEAKS
from crossfade.database.preflight.servers import OLDEST, RDS, VERSION_TOO_OLD
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Finding
from crossfade.model.terms import Side

Connect = Callable[[Side], Session]
_DEFAULT = Options()


def examine(settings: NativeSettings, connect: Connect) -> tuple[Finding, ...]:
    """All findings together, blockers first. A side that cannot be reached is itself a finding.

    Warnings that `settings.preflight_accept` names stay among them, with the reason why they may.
    """
    options = Options(accepted=settings.preflight_accept)
    return tuple(found.finding for found in inspect(settings, connect, options))


def inspect(
    settings: NativeSettings, connect: Connect, options: Options = _DEFAULT, sides: Iterable[Side] = tuple(Side)
) -> tuple[Found, ...]:
    """As `examine`, with what a script or a page needs beside it. Nothing is changed on either side.

    With the source alone in `sides`, what a target must have is not asked. A warning that is in `options.accepted` by
    its subject, or as 'check: subject', says why it may stay; of a server only the latter counts, for it has several.
    A blocker never may.
    """
    found: list[Found] = []
    sessions: dict[Side, Session] = {}
    try:
        for side in sides:
            try:
                sessions[side] = connect(side)
                sessions[side].rows(
                    "SET search_path = ''"
                )  # names are told with their schemas, and no stranger's function is run
            except CrossfadeError as exc:
                found.append(
                    Found(check=UNREACHABLE, side=side, subject=f"{side} database", problem=str(exc), advice=exc.remedy)
                )
        for session in sessions.values():
            found += _asked(settings, session, options)
        found += _compared(settings, {side: one for side, one in sessions.items() if _major(one) >= OLDEST})
    finally:
        for session in sessions.values():
            session.close()
    ordered = sorted(found, key=lambda one: one.check.severity is not BLOCKER)
    return tuple(replace(one, accepted=_accepted(one, options)) for one in ordered)


def _accepted(one: Found, options: Options) -> str:
    if one.check.severity is not WARNING:
        return ""
    by_name = options.accepted.get(f"{one.check.name}: {one.subject}", "")
    return by_name or ("" if one.subject == f"{one.side} server" else options.accepted.get(one.subject, ""))


def _asked(settings: NativeSettings, session: Session, options: Options) -> Iterator[Found]:
    scope = {
        "schemas": list(settings.schemas),
        "roles": list(settings.application_roles),
        "margin": settings.sequence_margin,
        "long": options.long_transaction.total_seconds(),
        "lob_limit": options.lob_limit_bytes,
        "rate_window": options.rate_window.total_seconds(),
        "numeric_scale": options.numeric_scale_given,
    }
    major = _major(session)
    if major < OLDEST:  # what else is asked is asked of catalogs that it has not
        problem = f"version {session.value('SHOW server_version')} is too old"
        yield Found(
            check=VERSION_TOO_OLD,
            side=session.side,
            subject=f"{session.side} server",
            problem=problem,
            advice=VERSION_TOO_OLD.advice,
        )
        return
    on_rds = bool(session.value(f"SELECT {RDS}"))
    here = {Place.EACH, Place.SOURCE if session.side is Side.SOURCE else Place.TARGET}
    for check in ASKED:
        if check.place in here and check.since <= major <= check.until and (options.dms or not check.dms):
            yield from _answers(check, session, scope, on_rds=on_rds)
    if session.side is Side.SOURCE:
        try:
            yield from contents.in_the_rows(session, scope)
        except StatementFailed as exc:
            yield _not_examined(session, "what the rows hold", exc)
        if all(session.value("SELECT to_regnamespace(quote_ident(%s))", (schema,)) for schema in settings.schemas):
            yield from _fence(settings, session)


def _major(session: Session) -> int:
    return int(session.value("SHOW server_version_num")) // 10000


def _answers(check: Check, session: Session, scope: dict[str, object], *, on_rds: bool) -> Iterator[Found]:
    try:
        rows = session.rows(check.query, scope)
    except StatementFailed as exc:
        yield _not_examined(session, check.name, exc)
        return
    for subject, problem, statement in rows:
        words = on_rds and bool(check.rds)
        yield Found(
            check=check,
            side=session.side,
            subject=subject or f"{session.side} server",
            problem=problem,
            sql="" if words else statement or "",
            advice=check.rds if words else check.advice,
        )


def _not_examined(session: Session, what: str, refusal: StatementFailed) -> Found:
    return Found(
        check=NOT_EXAMINED,
        side=session.side,
        subject=f"{session.side} server",
        problem=f"{what} could not be looked at: {refusal}",
        advice=NOT_EXAMINED.advice,
    )


def _fence(settings: NativeSettings, source: Session) -> Iterator[Found]:
    """Fence the source in a transaction that is rolled back, and see who could still write."""
    source.rows("BEGIN READ WRITE")
    try:
        state.install(source, settings.schemas)
        epoch = state.state_of(source).epoch
        leaks = source.rows(
            "SELECT role_name, quote_ident(role_name), relation FROM crossfade.plan_fence(%s)", (epoch,)
        )
    except CrossfadeError as exc:
        problem = f"a trial of the fence failed: {exc}"
        yield Found(check=FENCE_FAILED, side=Side.SOURCE, subject="fence", problem=problem, advice=exc.remedy)
        return
    finally:
        if not source.closed:
            source.roll_back()
    for role, quoted, relation in leaks:
        yield Found(
            check=FENCE_LEAKS,
            side=Side.SOURCE,
            subject=f"role {role}",
            problem=f"it could write to {relation} through a fence, by a role that no REVOKE on the table reaches",
            sql=f"REVOKE pg_write_all_data FROM {quoted};",
            advice=FENCE_LEAKS.advice,
        )


def _compared(settings: NativeSettings, sessions: dict[Side, Session]) -> Iterator[Found]:
    target, source = sessions.get(Side.TARGET), sessions.get(Side.SOURCE)
    if target is not None:
        yield from differences.on_target(list(settings.schemas), target)
    if target is not None and source is not None:
        yield from differences.between(list(settings.schemas), source, target)
        yield from rights.on_both(settings, source, target)
        yield from drifted(source, target)
