"""`python -m crossfade.rehearsal.users --router URL --out DIR`: users until SIGTERM."""

import argparse
import asyncio
import contextlib
import json
import resource
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from crossfade import durable
from crossfade.rehearsal.users.client import HttpClient
from crossfade.rehearsal.users.crowd import Users
from crossfade.rehearsal.users.errands import Crowd
from crossfade.rehearsal.users.notes import SUMMARY, Notes

_TIMEOUT_SECONDS = 12.0  # more than the router's: its 504 is an answer, and says which arm it was


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Users of the ledger: they come at their own pace, retry their writes, note what was promised."
    )
    parser.add_argument("--router", required=True, metavar="URL", help="such as http://127.0.0.1:20080")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the notes go")
    parser.add_argument("--rate", type=_positive, default=300.0, help="requests a second (default 300)")
    parser.add_argument("--writes", type=_share, default=0.5, help="share of writes, 0 to 1 (default 0.5)")
    parser.add_argument("--statements", type=_positive, default=3.0, help="statements a second (default 3)")
    parser.add_argument("--users", type=int, default=2000, help="how many different users (default 2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--user-header", default="x-user", help="the header that names the user (default x-user)")
    given = parser.parse_args()
    address = urlsplit(given.router)
    try:
        port = address.port
    except ValueError:
        port = None
    if address.scheme != "http" or address.hostname is None or port is None:
        parser.error("--router: give an address like http://127.0.0.1:20080")
    if given.users < 1:
        parser.error("--users: at least 1")
    return given


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value


async def _run(given: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for by in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(by, ended.set)
    _allow_connections()
    address = urlsplit(given.router)
    client = HttpClient(str(address.hostname), int(address.port or 80), timeout=_TIMEOUT_SECONDS)
    notes = Notes(given.out)
    crowd = Crowd(rate=given.rate, writes=given.writes, statements=given.statements, users=given.users, seed=given.seed)
    users = Users(crowd, client, notes, user_header=given.user_header)

    orphaned = asyncio.Event()

    def hurry() -> None:
        """Whoever started us is gone, and the ledger with it."""
        orphaned.set()
        ended.set()
        users.leave()

    loop.add_signal_handler(signal.SIGHUP, hurry)
    keeping = loop.create_task(notes.keep())
    beginning = loop.create_task(users.begin())
    await asyncio.wait((beginning, loop.create_task(ended.wait())), return_when=asyncio.FIRST_COMPLETED)
    await ended.wait()
    beginning.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beginning
    if orphaned.is_set():
        users.leave()
    await users.end()
    keeping.cancel()
    notes.close()
    client.close()
    durable.replace(given.out / SUMMARY, json.dumps(users.summary()).encode() + b"\n")


def _allow_connections() -> None:
    """A request that waits holds a connection, and behind a router that hangs thousands wait."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> int:
    given = _arguments()
    try:
        uvloop.run(_run(given))
    except OSError as exc:
        print(f"{given.out}: {exc.strerror}", file=sys.stderr)  # noqa: T201 - this is a program
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
