"""What bets pay for requests whose latency was made less: by margin or tolerance, and by what is the link's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossfade.judge.capital import Floats, frozen

FEW = 4
"""Places: adding up so many layers takes no longer than a product of matrices does; two take half of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewPlaces:
    """The requests of each bin lie in a few others, as where bins are wider than a division moves requests.

    By layer, bet and bin: a place, as an index of the payoffs by bet and bin, one bet after the other; and the part of
    the bin's requests that lies there. Parts add up to 1 over the layers.
    """

    places: NDArray[np.intp]
    parts: Floats

    def means(self, payoffs: Floats) -> Floats:
        """By bet and bin, the mean of `payoffs` (by bet and bin) over where the bin's requests lie."""
        paid = payoffs.take(self.places)
        paid *= self.parts
        total: Floats = paid[0]
        for layer in paid[1:]:
            total += layer
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyPlaces:
    """The requests of some bin lie in many others, as where bins are narrow or a link has its part.

    The parts of each bin's requests (columns) by where they lie (rows): `slower` for the first bets, as many as
    `first` says, `healthy` for the others.
    """

    first: int
    slower: Floats
    healthy: Floats

    def means(self, payoffs: Floats) -> Floats:
        """By bet and bin, the mean of `payoffs` (by bet and bin) over where the bin's requests lie."""
        means = np.empty_like(payoffs)
        np.matmul(payoffs[: self.first], self.slower, out=means[: self.first])
        np.matmul(payoffs[self.first :], self.healthy, out=means[self.first :])
        return means


def lessening(slower: Floats, healthy: Floats, first: int, bets: int) -> FewPlaces | ManyPlaces:
    """From two divisions (bins.division: a row for each bin): of `bets` bets the first `first` take `slower`."""
    layers = [_layers(division) for division in (slower, healthy)]
    many = max(len(places) for places, _ in layers)
    if many > FEW:
        return ManyPlaces(
            first=first,
            slower=frozen(np.ascontiguousarray(slower.T)),
            healthy=frozen(np.ascontiguousarray(healthy.T)),
        )
    bins = len(slower)
    places, parts = np.zeros((2, many, bins), dtype=np.intp), np.zeros((2, many, bins))
    for kind, (place, part) in enumerate(layers):
        places[kind, : len(place)], parts[kind, : len(part)] = place, part
    kinds = np.repeat((0, 1), (first, bets - first))
    at = places[kinds].swapaxes(0, 1) + np.arange(bets)[:, None] * bins
    return FewPlaces(places=np.ascontiguousarray(at), parts=frozen(np.ascontiguousarray(parts[kinds].swapaxes(0, 1))))


def _layers(division: Floats) -> tuple[NDArray[np.intp], Floats]:
    """By layer and bin: a place where requests of the bin lie, and what part of them; no part where there is none."""
    rows, columns = division.nonzero()
    layer = np.arange(len(rows)) - np.searchsorted(rows, rows)
    shape = (int(layer.max()) + 1, len(division))
    places, parts = np.zeros(shape, dtype=np.intp), np.zeros(shape)
    places[layer, rows], parts[layer, rows] = columns, division[rows, columns]
    return places, parts
