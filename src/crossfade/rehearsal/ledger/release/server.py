"""One server of the ledger, from its settings to its end."""

import asyncio
import signal

import uvloop
from psycopg.conninfo import make_conninfo

from .application import Application, Kind
from .books import Books, ShadowBooks
from .database import Database
from .faults import SharedFaults
from .http import HttpServer
from .primary import Primary
from .settings import ServerSettings, Side
from .shares import Shares


def serve(settings: ServerSettings, kind: Kind, faults: SharedFaults | None) -> None:
    """Serves until SIGTERM; then requests in flight are answered. Raises OSError when the port is taken."""
    uvloop.run(_serve(settings, kind, faults))


async def _serve(settings: ServerSettings, kind: Kind, faults: SharedFaults | None) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for by in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(by, ended.set)
    primary = Primary()
    databases = {
        side: Database(
            side,
            settings.dsn(side),
            connections=settings.connections,
            heard=primary.heard,
            listening=primary.listening,
        )
        for side in Side
    }
    shadows = {
        side: Database(
            side,
            make_conninfo(settings.dsn(side), user=settings.shadow_role),
            connections=1,
            heard=_unheard,
            listening=_unheard,
        )
        for side in Side
    }
    deadline = settings.deadline_seconds
    books, shadow_books = Books(databases, primary, deadline), ShadowBooks(shadows, primary, deadline)
    shares = Shares({side: settings.share(side) for side in Side})
    application = Application(settings, kind, faults, (books, shadow_books, shares, primary))
    http = HttpServer(application.answer, {"x-arm": settings.arm, "x-server": settings.name})
    for database in databases.values():
        database.open()
    primary.watch(databases)
    await http.open(settings.port)
    await ended.wait()
    await http.close(within=settings.deadline_seconds + 1)
    await primary.close()
    for database in (*databases.values(), *shadows.values()):
        await database.close()


def _unheard(_: object) -> None:
    """Which side takes writes is known from the other connections."""
