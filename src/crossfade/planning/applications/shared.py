"""Shared services told apart from applications: by port, by process, by how many use them, and by name."""

from collections.abc import Iterator, Mapping

from crossfade.planning.applications.names import ENVIRONMENT_WORDS, TIER_WORDS
from crossfade.planning.applications.records import Certainty, RoleFound
from crossfade.planning.applications.services import HUB, ROLES, Role, plain_process, words_of
from crossfade.planning.applications.traffic import Party, Told, Traffic

HUB_CLIENTS = 10
HUB_SHARE = 0.25  # of all servers that talk at all: below it, a large application's own database would count


def shared_roles(parties: list[Party], traffic: Traffic) -> dict[Party, tuple[RoleFound, ...]]:
    """Parties that serve many, with what they serve. Those that no evidence points to are not in it."""
    talking = {party for party in (*traffic.answered, *traffic.asked) if party.is_server}
    found = {party: tuple(_roles(party, traffic, len(talking))) for party in parties}
    return {party: roles for party, roles in found.items() if roles}


def _roles(party: Party, traffic: Traffic, talking: int) -> Iterator[RoleFound]:
    answered, asked = traffic.answered.get(party, {}), traffic.asked.get(party, {})
    words = words_of(party.name)
    found = False
    for role in ROLES:
        told = _role(role, answered, asked, words)
        if told is not None:
            found = True
            yield told
    clients = {other for told in answered.values() for other in told.others if other.is_server}
    if not found and len(clients) >= max(HUB_CLIENTS, HUB_SHARE * talking):
        reason = f"{len(clients)} of {talking} servers that talk ask it, for no service that is known by its port"
        yield RoleFound(role=HUB, certainty=Certainty.POSSIBLE, reason=reason)


def _role(
    role: Role, answered: Mapping[int, Told], asked: Mapping[int, Told], words: frozenset[str]
) -> RoleFound | None:
    """A port and one thing more. Of a server that is not seen to talk, a telling name is possible evidence."""
    named = sorted(words & role.words)
    if not answered and not asked:
        if not named or words - role.words - ENVIRONMENT_WORDS - TIER_WORDS - {""}:  # proxy01, and not shop-proxy
            return None
        reason = f"its name is {named[0]} and nothing else; no connection of it is known"
        return RoleFound(role=role.name, certainty=Certainty.POSSIBLE, reason=reason)
    ways = [(role.answers, answered, "{} ask it on {}"), (role.asks, asked, "it asks {} on {}")]
    for ports, side, says in ways:
        used = sorted(ports & side.keys())
        others = {other for port in used for other in side[port].others}
        processes = {process for port in used for process in side[port].processes}
        running = sorted({plain_process(process) for process in processes} & role.processes)
        many = len(others) >= role.fewest
        evidence = many + bool(running) + bool(named)
        if not used or not evidence:
            continue
        reasons = [says.format(_count(len(others)), _ports(used))]
        reasons += [f"the process {running[0]} does it"] if running else []
        reasons += [f"its name has the word {named[0]}"] if named else []
        certainty = Certainty.LIKELY if evidence > 1 or (many and len(used) > 1) else Certainty.POSSIBLE
        return RoleFound(role=role.name, certainty=certainty, reason="; ".join(reasons))
    return None


def _count(number: int) -> str:
    return "one end" if number == 1 else f"{number} ends"


def _ports(ports: list[int]) -> str:
    return f"port {ports[0]}" if len(ports) == 1 else f"ports {', '.join(map(str, ports))}"
