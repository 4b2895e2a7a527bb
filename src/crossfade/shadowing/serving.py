"""The collector's two doors on 127.0.0.1: copies of requests come in at one, the counts are told at the other."""

import asyncio
import signal
from datetime import timedelta
from uuid import uuid4

import aiohttp
from aiohttp import web
from pydantic import TypeAdapter

from crossfade.model.comparing import ShadowReading
from crossfade.shadow import Masker
from crossfade.shadowing.calls import Call, Servers
from crossfade.shadowing.collector import Collector
from crossfade.shadowing.settings import CollectorSettings

_HOST = "127.0.0.1"
_REQUEST_ID = "x-request-id"
_READING: TypeAdapter[ShadowReading] = TypeAdapter(ShadowReading)
_LARGEST_BODY_BYTES = 1_000_000
_KEPT_ALIVE = timedelta(seconds=75)  # longer than the router keeps an idle connection: it is the one to close


async def serve(settings: CollectorSettings, masker: Masker) -> None:
    """Until SIGTERM or SIGINT. Raises OSError when a port is taken."""
    ended = asyncio.Event()
    for by in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(by, ended.set)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2.0)  # servers close theirs after 5 s and more
    # Each call has a timeout of its own; cookies of one user must not go out with another's request.
    session = aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar()
    )
    async with session:
        control, candidate = (
            Servers(session, addresses, settings.timeout) for addresses in (settings.control, settings.candidate)
        )
        collector = Collector(settings, control, candidate, masker)
        runners = [_runner(_mirror(collector)), _runner(_control(collector))]
        try:
            for runner, port in zip(runners, (settings.mirror_port, settings.control_port), strict=True):
                await runner.setup()
                await web.TCPSite(runner, _HOST, port).start()
            await ended.wait()
        finally:
            for runner in runners:
                await runner.cleanup()
            await collector.close()


def _runner(app: web.Application) -> web.AppRunner:
    keep = _KEPT_ALIVE.total_seconds()
    return web.AppRunner(app, access_log=None, keepalive_timeout=keep, shutdown_timeout=1.0)


def _mirror(collector: Collector) -> web.Application:
    async def take(request: web.Request) -> web.Response:
        call = Call(
            id=request.headers.get(_REQUEST_ID) or str(uuid4()),
            method=request.method,
            target=request.raw_path,
            headers=tuple(request.headers.items()),
            body=await request.read(),
        )
        collector.offer(call)
        return web.Response(status=204)

    app = web.Application(client_max_size=_LARGEST_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", take)
    return app


def _control(collector: Collector) -> web.Application:
    async def tell(_: web.Request) -> web.Response:
        return web.Response(body=_READING.dump_json(collector.reading()), content_type="application/json")

    app = web.Application()
    app.router.add_get("/reading", tell)
    return app
