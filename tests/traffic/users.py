"""Users of a router, over as few connections as it takes: each asks and waits for the answer."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    arm: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    user: str = ""
    path: str = "/"
    method: str = "GET"


class Connection:
    """One kept-alive HTTP connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, ask: Ask) -> Answer:
        """Raises OSError or IncompleteReadError when there is no answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        user = f"x-user: {ask.user}\r\n" if ask.user else ""
        body = "hello" if ask.method == "POST" else ""
        writer.write(
            f"{ask.method} {ask.path} HTTP/1.1\r\nhost: h\r\n{user}content-length: {len(body)}\r\n\r\n{body}".encode()
        )
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            names = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            await reader.readexactly(int(names.get("content-length", 0)))
        except BaseException:
            await self.close()
            raise
        return Answer(status=int(head.split(" ", 2)[1]), arm=names.get("x-arm", ""), server=names.get("x-server", ""))

    async def close(self) -> None:
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def ask_all(port: int, asks: Iterable[Ask], *, at_once: int = 32) -> list[Answer]:
    """The answers in the order of the questions, `at_once` of them in flight."""
    waiting = list(enumerate(asks))
    waiting.reverse()
    answers: dict[int, Answer] = {}

    async def one() -> None:
        connection = Connection(port)
        while waiting:
            place, ask = waiting.pop()
            answers[place] = await connection.ask(ask)
        await connection.close()

    async def every() -> None:
        await asyncio.gather(*(one() for _ in range(at_once)))

    asyncio.run(every())
    return [answers[place] for place in sorted(answers)]


def arms_of(port: int, users: Iterable[str]) -> dict[str, str]:
    """On which arm each of the users is now."""
    users = list(users)
    return dict(zip(users, (answer.arm for answer in ask_all(port, (Ask(user=u) for u in users))), strict=True))


@dataclass
class Load:
    """What users in the background got so far. `failures`: no answer, or a status of 500 and above."""

    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stop: bool = False


@contextmanager
def load(port: int, path: str, *, at_once: int = 16, method: str = "GET") -> Iterator[Load]:
    """Users that never stop asking, until the block ends; each waits for the answer to what it asked last."""
    so_far = Load()

    async def one(number: int) -> None:
        connection = Connection(port)
        turn = 0
        while not so_far.stop:
            turn += 1
            try:
                answer = await connection.ask(Ask(user=f"{number}-{turn}", path=path, method=method))
            except (OSError, asyncio.IncompleteReadError) as failure:
                so_far.failures.append(repr(failure))
                continue
            so_far.answers.append(answer)
            if answer.status >= 500:
                so_far.failures.append(str(answer))
        await connection.close()

    async def every() -> None:
        await asyncio.gather(*(one(number) for number in range(at_once)))

    thread = threading.Thread(target=lambda: asyncio.run(every()), name="users")
    thread.start()
    try:
        yield so_far
    finally:
        so_far.stop = True
        thread.join()
