"""The users' client against sockets that behave in all the ways servers do."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from crossfade.rehearsal.processes import free_ports
from crossfade.rehearsal.users.client import NO_REPLY, HttpClient, Reply

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Arm: modern\r\n\r\nok"
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def with_server(
    behaviour: Behaviour, ask: Callable[[HttpClient], Awaitable[list[Reply]]], patience_s: float
) -> tuple[list[Reply], int]:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await behaviour(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    client = HttpClient("127.0.0.1", server.sockets[0].getsockname()[1], timeout=patience_s)
    try:
        return await ask(client), connections
    finally:
        client.close()
        server.close()


def asked(behaviour: Behaviour, times: int = 1, *, patience_s: float = 120) -> tuple[list[Reply], int]:
    async def ask(client: HttpClient) -> list[Reply]:
        return [await client.ask("GET", "/", {"x-user": "u"}) for _ in range(times)]

    return asyncio.run(with_server(behaviour, ask, patience_s))


async def read_request(reader: asyncio.StreamReader) -> bool:
    return bool(await reader.readline()) and bool(await reader.readuntil(b"\r\n\r\n"))


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await read_request(reader):
        writer.write(OK)


def test_uses_the_connection_again_when_it_is_kept() -> None:
    assert asked(answers, 3) == ([Reply(status=200, arm="modern", body=b"ok")] * 3, 1)


def test_connects_anew_when_the_server_closes_after_each_answer() -> None:
    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))

    replies, connections = asked(closes, 3)
    assert ([reply.status for reply in replies], connections) == ([200] * 3, 3)


def test_asks_once_more_when_a_kept_connection_ends_without_a_byte() -> None:
    turns = 0

    async def ends_on_reuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turns
        await read_request(reader)
        writer.write(OK)
        turns += 1
        if turns == 1:
            await read_request(reader)  # the second request arrives, and the connection ends

    replies, connections = asked(ends_on_reuse, 2)
    assert ([reply.status for reply in replies], connections) == ([200, 200], 2)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", b"nonsense\r\n\r\n"])
def test_has_no_reply_when_the_answer_breaks_off(part: bytes) -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(part)

    replies, _ = asked(breaks)
    assert replies == [NO_REPLY]
    assert replies[0].failed


def test_has_no_reply_when_the_server_says_nothing_in_time() -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await reader.read()

    assert asked(hangs, patience_s=0.5)[0] == [NO_REPLY]


def test_has_no_reply_when_nobody_listens() -> None:
    client = HttpClient("127.0.0.1", free_ports(1)[0], timeout=60)
    assert asyncio.run(client.ask("GET", "/", {})) == NO_REPLY


def test_reads_bodies_in_chunks_when_the_router_sends_them_so() -> None:
    async def chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for part in (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"):
            writer.write(part)
            await writer.drain()

    assert asked(chunks)[0][0].body == b"ok"


@pytest.mark.parametrize(
    ("status", "failed", "acknowledged"),
    [(0, True, False), (201, False, True), (404, False, False), (503, True, False)],
)
def test_tells_failures_from_refusals_when_the_status_is_known(status: int, failed: bool, acknowledged: bool) -> None:
    reply = Reply(status=status)
    assert (reply.failed, reply.acknowledged) == (failed, acknowledged)
