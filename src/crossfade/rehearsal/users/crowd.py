"""The users at work: open loop, so that a slow answer to one keeps no other from coming."""

import asyncio
import json
import random
import time
from collections import deque
from dataclasses import asdict, dataclass, replace
from uuid import uuid4

from crossfade.rehearsal.users.client import HttpClient, Reply
from crossfade.rehearsal.users.errands import Arrival, Crowd, Errand, arrivals
from crossfade.rehearsal.users.notes import Acknowledged, Attempt, Notes

_GIVE_UP_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_STATEMENTS_REMEMBERED = 500


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of the whole run. `refused`: the ledger said no. `given_up`: not acknowledged within 30 seconds.

    `stale_reads`: an account was shown without a transfer that had been acknowledged before the request.
    """

    requests: int = 0
    failed: int = 0
    acknowledged: int = 0
    refused: int = 0
    given_up: int = 0
    stale_reads: int = 0


class Users:
    """Everybody in `crowd`, from `begin` until `end`."""

    def __init__(self, crowd: Crowd, client: HttpClient, notes: Notes, *, user_header: str = "x-user") -> None:
        self.tally = Tally()
        self._user_header = user_header
        self._crowd, self._client, self._notes = crowd, client, notes
        self._epoch = time.time() - time.monotonic()  # one clock for everything: wall-clock steps do no harm
        self._under_way: set[asyncio.Task[None]] = set()
        self._accounts = (2, 2)
        self._newest: dict[int, int] = {}
        self._statements: deque[int] = deque(maxlen=_STATEMENTS_REMEMBERED)
        self._chance = random.Random(crowd.seed + 1)
        self._coming: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Returns when the ledger has said which accounts there are and the first users are on their way."""
        while True:
            reply = await self._client.ask("GET", "/api/accounts", {self._user_header: "user-00000"})
            if reply.acknowledged:
                told = json.loads(reply.body)
                self._accounts = (int(told["first"]), int(told["last"]))
                if self._accounts[0] < self._accounts[1]:
                    break
            await asyncio.sleep(_FIRST_PAUSE)
        self._coming = asyncio.get_running_loop().create_task(self._come())

    async def end(self) -> None:
        """Nobody comes any more; those who are there are served, or give up."""
        if self._coming is not None:
            self._coming.cancel()
        while self._under_way:
            await asyncio.wait(tuple(self._under_way))

    def leave(self) -> None:
        """Those who are there do not wait for their answers: there is nobody left to give any."""
        for task in self._under_way:
            task.cancel()

    def now(self) -> float:
        return self._epoch + time.monotonic()

    async def _come(self) -> None:
        begun = self.now()
        loop = asyncio.get_running_loop()
        for arrival in arrivals(self._crowd, uuid4()):
            due = begun + arrival.due
            wait = due - self.now()
            if wait > 0:
                await asyncio.sleep(wait)
            task = loop.create_task(self._serve(arrival, due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _serve(self, arrival: Arrival, due: float) -> None:
        """One errand: writes are tried again under the same key until they are acknowledged."""
        arrival, method, path, body = self._request(arrival)
        key = str(arrival.key) if arrival.errand.writes else ""
        headers = {self._user_header: f"user-{arrival.user:05}"}
        if key:
            headers |= {"idempotency-key": key, "content-type": "application/json"}
        expected = self._newest.get(self._account(arrival.user), 0)
        first_due, number, pause = due, 1, _FIRST_PAUSE
        while True:
            started = self.now()
            reply = await self._client.ask(method, path, headers, body)
            seen = Attempt(
                due=min(due, started),  # the loop's timers wake up to a millisecond early
                started=started,
                done=self.now(),
                kind=arrival.errand,
                status=reply.status,
                arm=reply.arm,
                key=key,
                attempt=number,
            )
            self._note(seen, reply)
            if not reply.failed or not key:
                break
            if seen.done - first_due > _GIVE_UP_SECONDS:
                self.tally.given_up += 1
                return
            await asyncio.sleep(pause * self._chance.uniform(0.5, 1.5))
            due, number, pause = self.now(), number + 1, min(pause * 2, _LONGEST_PAUSE)
        if reply.acknowledged:
            self._understand(arrival, reply, seen.done, expected)

    def _request(self, arrival: Arrival) -> tuple[Arrival, str, str, bytes]:
        account = self._account(arrival.user)
        if arrival.errand in {Errand.DOCUMENT, Errand.DOCUMENT_PAGE} and not self._statements:
            arrival = replace(arrival, errand=Errand.ACCOUNT)
        match arrival.errand:
            case Errand.TRANSFER:
                body = {"from": account, "to": self._payee(arrival), "amount": _amount(arrival)}
                return arrival, "POST", "/api/transfers", json.dumps(body).encode()
            case Errand.STATEMENT:
                return arrival, "POST", "/api/statements", json.dumps({"account": account}).encode()
            case Errand.ACCOUNT:
                return arrival, "GET", f"/api/accounts/{account}", b""
            case Errand.ACCOUNT_PAGE:
                return arrival, "GET", f"/accounts/{account}", b""
            case Errand.DOCUMENT | Errand.DOCUMENT_PAGE:
                statement = self._statements[arrival.payee % len(self._statements)]
                tier = "/api" if arrival.errand is Errand.DOCUMENT else ""
                return arrival, "GET", f"{tier}/statements/{statement}", b""

    def _account(self, user: int) -> int:
        first, last = self._accounts
        return first + user % (last - first + 1)

    def _payee(self, arrival: Arrival) -> int:
        """Any account but the user's own."""
        first, last = self._accounts
        return first + (arrival.user + 1 + arrival.payee % max(last - first, 1)) % (last - first + 1)

    def _note(self, seen: Attempt, reply: Reply) -> None:
        self._notes.attempt(seen)
        self.tally.requests += 1
        self.tally.failed += reply.failed
        self.tally.refused += 400 <= reply.status < 500

    def _understand(self, arrival: Arrival, reply: Reply, at: float, expected: int) -> None:
        account = self._account(arrival.user)
        if arrival.errand is Errand.ACCOUNT:
            shown = [int(entry["transfer"]) for entry in json.loads(reply.body)["entries"]]
            self.tally.stale_reads += expected > max(shown, default=0)
        if not arrival.errand.writes:
            return
        told = json.loads(reply.body)
        promised = Acknowledged(key=str(arrival.key), kind=arrival.errand, id=int(told["id"]), at=at, debit=account)
        if arrival.errand is Errand.TRANSFER:
            promised = replace(promised, credit=self._payee(arrival), amount=_amount(arrival))
            self._newest[account] = max(promised.id, self._newest.get(account, 0))
        else:
            promised = replace(promised, document=str(told["document"]), checksum=str(told["checksum"]))
            self._statements.append(promised.id)
        self.tally.acknowledged += 1
        self._notes.acknowledged(promised)

    def summary(self) -> dict[str, int]:
        return asdict(self.tally)


def _amount(arrival: Arrival) -> str:
    return f"{arrival.cents // 100}.{arrival.cents % 100:02}"
