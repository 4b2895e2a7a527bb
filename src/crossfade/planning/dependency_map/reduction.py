"""A picture that can still be read: the largest applications and the heaviest flows, and in words what is missing."""

from dataclasses import replace

from crossfade.planning.applications.records import NodeKind
from crossfade.planning.dependency_map.picture import Picture


def reduced(picture: Picture, *, cards: int, lines: int) -> Picture:
    """At most so many applications and lines; services and the outside stay, lines to services go.

    Everybody asks the directory: those lines hide all others and tell nothing. Applications with most servers and
    flows stay. The result is to be arranged anew.
    """
    kinds = [card.kind for card in picture.cards]
    talks = [0] * len(kinds)
    for line in picture.lines:
        talks[line.source] += 1
        talks[line.destination] += 1
    applications = [n for n, kind in enumerate(kinds) if kind is NodeKind.APPLICATION]
    by_size = sorted(applications, key=lambda n: (-(len(picture.cards[n].entries) + talks[n]), n))
    stays = {*by_size[:cards], *(n for n, kind in enumerate(kinds) if kind is not NodeKind.APPLICATION)}
    number = {n: place for place, n in enumerate(sorted(stays))}
    possible = [line for line in picture.lines if line.source in stays and line.destination in stays]
    telling = [line for line in possible if NodeKind.SERVICE not in {kinds[line.source], kinds[line.destination]}]
    kept = tuple(
        replace(line, source=number[line.source], destination=number[line.destination]) for line in telling[:lines]
    )
    hidden = []
    if gone := by_size[cards:]:
        servers = sum(len(picture.cards[n].entries) for n in gone)
        hidden.append(f"{_count(len(gone), 'smaller application')} with {_count(servers, 'server')}")
    if (left := len(picture.lines) - len(possible) + len(telling) - len(kept)) > 0:
        hidden.append(f"{_count(left, 'lighter flow')}")
    if uses := len(possible) - len(telling):
        hidden.append(f"{_count(uses, 'flow')} with shared services")
    return replace(
        picture, cards=tuple(picture.cards[n] for n in sorted(stays)), lines=kept, hidden=tuple(hidden), columns=()
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
