"""The schema `crossfade` that the migration keeps in each database while it runs: install, look, take away."""

from dataclasses import dataclass
from importlib.resources import files

from crossfade.database.session import Session
from crossfade.model.terms import Side

_PARTS = ("state.sql", "grants.sql", "switch.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class SideState:
    """One side's own word: whether it takes writes, and under which epoch that was decided."""

    side: Side
    open: bool
    epoch: int


def install(session: Session, schemas: tuple[str, ...]) -> None:
    """Our schema stands, in its present form. The source starts open, the target closed."""
    for part in _PARTS:
        session.rows(script(part))
    session.rows(
        "INSERT INTO crossfade.scope SELECT unnest(%s::name[]) ON CONFLICT DO NOTHING",
        (list(schemas),),
    )
    session.rows(
        "INSERT INTO crossfade.writer (side, open) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (str(session.side), session.side is Side.SOURCE),
    )


def script(part: str) -> str:
    return files("crossfade.database").joinpath("sql", part).read_text(encoding="utf-8")


def is_installed(session: Session) -> bool:
    return bool(session.value("SELECT to_regclass('crossfade.writer') IS NOT NULL"))


def uninstall(session: Session) -> None:
    session.rows("SET client_min_messages = error; DROP SCHEMA IF EXISTS crossfade CASCADE")


def state_of(session: Session) -> SideState:
    """As it begins where an installation ended before it was noted.

    Raises `StatementFailed` where nothing is installed.
    """
    noted = session.rows("SELECT open, epoch FROM crossfade.writer")
    is_open, epoch = noted[0] if noted else (session.side is Side.SOURCE, 0)
    return SideState(side=session.side, open=is_open, epoch=epoch)


def remember(session: Session, kind: str, name: str) -> None:
    session.rows("INSERT INTO crossfade.made VALUES (%s, %s) ON CONFLICT DO NOTHING", (kind, name))


def remembered(session: Session, kind: str) -> set[str]:
    return {name for (name,) in session.rows("SELECT name FROM crossfade.made WHERE kind = %s", (kind,))}
