"""Cards in columns: who asks more than is asked stands left, what answers stands right, services last.

A few applications stand in layers by the longest path, circles taken as one, so that every other line runs rightwards.
Of many, that gives columns of one card each, or one of all; the balance of asking and being asked gives even ones, and
most lines still run rightwards.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from crossfade.planning.applications.records import NodeKind
from crossfade.planning.dependency_map.picture import Picture

MOST_COLUMNS = 7
FEW = 40
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
    layers = _layers([(line.source, line.destination) for line in between]) if len(talking) <= FEW else []
    if len(layers) > MOST_COLUMNS or not layers:
        layers = _even(talking)
    columns = [[n for n, kind in enumerate(kinds) if kind is NodeKind.OUTSIDE], *layers]
    columns.append([n for n, kind in enumerate(kinds) if kind is NodeKind.SERVICE])
    placed = {n for column in columns for n in column}
    apart = (n for n in range(len(kinds)) if n not in placed)
    lone = tuple(sorted(apart, key=lambda n: (-len(picture.cards[n].entries), n)))
    return replace(picture, columns=_untangled([column for column in columns if column], neighbours), lone=lone)


def _layers(lines: list[tuple[int, int]]) -> list[list[int]]:
    """Each card right of all that ask it, those of one circle in one layer."""
    import networkx as nx  # noqa: PLC0415 - a third of a second that no other command needs

    graph = nx.DiGraph(sorted(lines))
    circles = nx.condensation(graph)
    layers = (
        sorted(n for circle in generation for n in circles.nodes[circle]["members"])
        for generation in nx.topological_generations(circles)
    )
    return list(layers)


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
