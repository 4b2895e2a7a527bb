"""What no plan can cut less than, by eigenvalues: how well the traffic could be parted if groups could be smeared.

For waves of sizes m1 >= m2 >= … and any numbers d of the groups: 2 cut >= sum of m_i lambda_i - sum of d, lambda being
the least eigenvalues, ascending, of the Laplacian plus diag(d), scaled by the groups' sizes. The largest waves that the
limit allows make the least of it, so it holds whatever the sizes are. The numbers d are chosen by subgradients.

Source: Donath and Hoffman, Lower Bounds for the Partitioning of Graphs, 1973; the choice of d by
Cullum, Donath and Wolfe, The Minimization of Certain Nondifferentiable Sums of Eigenvalues, 1975.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from crossfade.planning.waves.groups import Groups

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float64]

MOST_GROUPS = 3_000  # a dense matrix of them is 72 MB
_MOST_STEPS, _WORK = 40, 2e10  # a step costs about the cube of the groups
_SLACK = 0.02  # of a wave, for groups that need nothing


def least_cut_by_eigenvalues(groups: Groups, limit: int) -> int:
    """A lower bound of the cut under one limit, rounded down to three digits: what eigenvalues give is no exact number.

    0 where there are too many groups, or where everything fits into one wave.
    """
    count = len(groups)
    needs = np.array([dict(group.needs).get(limit, 0) for group in groups.groups], dtype=np.float64)
    if not 1 < count <= MOST_GROUPS or needs.sum() <= groups.capacity[limit]:
        return 0
    sizes = needs / groups.capacity[limit]
    nothing = sizes == 0
    sizes[nothing] = _SLACK / max(1, int(nothing.sum()))
    waves = _largest_waves(float(sizes.sum()), 1 + _SLACK if nothing.any() else 1.0)
    if len(waves) > count:
        return 0
    laplacian = _laplacian(groups)
    scale = float(laplacian.diagonal().mean())
    shift = 1e-3 * scale * (np.arange(count) % 97) / 97  # equal eigenvalues would leave the first step to chance
    best, step = 0.0, 0.15 * scale * count**0.5
    for _ in range(max(1, min(_MOST_STEPS, int(_WORK / count**3)))):
        bound, slope = _bound(laplacian, shift, sizes, waves)
        best = max(best, bound)
        length = float(np.linalg.norm(slope))
        if length < 1e-9:
            break
        shift = shift + step * slope / length
        step *= 0.96
    return _rounded_down(best)


def _largest_waves(total: float, capacity: float) -> "Floats":
    full = int(total / capacity)
    rest = total - full * capacity
    return np.array([capacity] * full + ([rest] if rest > 1e-9 else []))


def _laplacian(groups: Groups) -> "Floats":
    found = np.zeros((len(groups), len(groups)))
    for group, talk in enumerate(groups.talks):
        for other, weight in talk.items():
            found[group, other] = -weight
            found[group, group] += weight
    return found


def _bound(laplacian: "Floats", shift: "Floats", sizes: "Floats", waves: "Floats") -> tuple[float, "Floats"]:
    """The bound for these numbers, and the direction in which it rises."""
    by_size = 1 / np.sqrt(sizes)
    scaled = (laplacian + np.diag(shift)) * np.outer(by_size, by_size)
    values, vectors = eigh(scaled, subset_by_index=(0, len(waves) - 1), check_finite=False)
    parts = vectors * by_size[:, None]
    bound = (float(values @ waves) - float(shift.sum())) / 2
    return bound, (parts**2) @ waves - 1


def _rounded_down(bound: float) -> int:
    whole = int(bound * (1 - 1e-6))
    digits = 10 ** max(0, len(str(whole)) - 3)
    return int(max(0, whole // digits * digits))
