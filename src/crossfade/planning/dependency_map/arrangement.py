"""Cards in columns: who asks more than is asked stands left, what answers stands right, services last.

Layers by the longest path would be exact for graphs without circles; those of data centers have circles, and give
columns of one card each. The balance of asking and being asked gives even columns, and most lines still run rightwards.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from crossfade.planning.applications.records import NodeKind
from crossfade.planning.dependency_map.picture import Picture

MOST_COLUMNS = 7
_SWEEPS = 6

Neighbours = Mapping[int, list[tuple[int, float]]]


def arranged(picture: Picture) -> Picture:
    """The picture with its columns from left to right, each from top to bottom."""
    kinds = [card.kind for card in picture.cards]
    between = [line for line in picture.lines if kinds[line.source] == kinds[line.destination] == NodeKind.APPLICATION]
    asks: dict[int, float] = defaultdict(float)
    answers: dict[int, float] = defaultdict(float)
    neighbours: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for line in between:
        asks[line.source] += line.weight
        answers[line.destination] += line.weight
    for line in picture.lines:
        neighbours[line.source].append((line.destination, line.weight))
        neighbours[line.destination].append((line.source, line.weight))
    talking = sorted(
        (n for n in range(len(kinds)) if asks[n] or answers[n]),
        key=lambda n: ((answers[n] - asks[n]) / (answers[n] + asks[n]), n),
    )
    columns = [[n for n, kind in enumerate(kinds) if kind is NodeKind.OUTSIDE], *_even(talking)]
    columns.append([n for n, kind in enumerate(kinds) if kind is NodeKind.SERVICE])
    placed = {n for column in columns for n in column}
    lone = tuple(n for n in range(len(kinds)) if n not in placed)
    return replace(picture, columns=_untangled([column for column in columns if column], neighbours), lone=lone)


def _even(order: list[int]) -> list[list[int]]:
    count = min(MOST_COLUMNS, max(2, round(math.sqrt(len(order) / 2))))
    size = math.ceil(len(order) / count) if order else 0
    return [order[start : start + size] for start in range(0, len(order), size)] if order else []


def _untangled(columns: list[list[int]], neighbours: Neighbours) -> tuple[tuple[int, ...], ...]:
    """Each card near the middle of those that it talks with.

    Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981.
    """
    height = {n: place / len(column) for column in columns for place, n in enumerate(column)}
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=lambda n: (_middle(n, neighbours, height), n))
            height |= {n: place / len(column) for place, n in enumerate(column)}
    return tuple(tuple(column) for column in columns)


def _middle(card: int, neighbours: Neighbours, height: Mapping[int, float]) -> float:
    near = [(height[other], weight) for other, weight in neighbours.get(card, ()) if other in height]
    total = sum(weight for _, weight in near)
    return sum(place * weight for place, weight in near) / total if total else height[card]
