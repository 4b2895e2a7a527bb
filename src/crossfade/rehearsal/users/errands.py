"""What users come for, and when: a stream that depends on the seed alone, not on how the answers go."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Errand(StrEnum):
    """What a user wants. Writes carry an idempotency key."""

    TRANSFER = "transfer"
    STATEMENT = "statement"
    ACCOUNT = "account"
    ACCOUNT_PAGE = "account_page"
    DOCUMENT = "document"
    DOCUMENT_PAGE = "document_page"

    @property
    def writes(self) -> bool:
        return self in {Errand.TRANSFER, Errand.STATEMENT}


_READS = (Errand.ACCOUNT, Errand.ACCOUNT_PAGE, Errand.DOCUMENT, Errand.DOCUMENT_PAGE)
_READ_WEIGHTS = (50, 30, 10, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """`rate` errands a second in all, `writes` of them (0 to 1) writes, of which `statements` a second are statements.

    `users` each have an account of their own, as far as there are accounts.
    """

    rate: float
    writes: float
    statements: float
    users: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One user comes: `due` seconds after the start. `payee` is a random number for whom it concerns besides."""

    due: float
    errand: Errand
    user: int
    payee: int
    cents: int
    key: UUID


def arrivals(crowd: Crowd, run: UUID) -> Iterator[Arrival]:
    """Endless, in the order of time: a Poisson process. Keys begin with the first eight hex digits of `run`."""
    chance = random.Random(crowd.seed)
    statement_share = min(crowd.statements / (crowd.rate * crowd.writes), 1.0) if crowd.writes else 0.0
    prefix = run.int >> 96 << 96
    due, number = 0.0, 0
    while True:
        due += chance.expovariate(crowd.rate)
        number += 1
        if chance.random() < crowd.writes:
            errand = Errand.STATEMENT if chance.random() < statement_share else Errand.TRANSFER
        else:
            errand = chance.choices(_READS, _READ_WEIGHTS)[0]
        yield Arrival(
            due=due,
            errand=errand,
            user=chance.randrange(crowd.users),
            payee=chance.getrandbits(62),
            cents=chance.randint(100, 5000),
            key=UUID(int=prefix | chance.getrandbits(64) << 32 | number & 0xFFFFFFFF),
        )
