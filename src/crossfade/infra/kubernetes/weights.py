"""Shares as the whole numbers that Argo Rollouts knows."""

from fractions import Fraction

from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import Routing

PERCENT = 100
THOUSANDTHS = 100_000
"""`maxTrafficWeight` where a share is no whole percent: weights are thousandths of a percent then."""
FINE = frozenset({Routing.NGINX, Routing.GATEWAY_API})
"""Only these take another whole than 100. Source: Argo Rollouts, validation of `maxTrafficWeight`."""


def shares(file: MigrationFile) -> tuple[float, ...]:
    return tuple(step.percent for step in file.traffic.steps())


def whole(file: MigrationFile) -> int:
    """The weight that is everybody: 100 if all shares are whole percents."""
    return PERCENT if all(share == round(share) for share in shares(file)) else THOUSANDTHS


def weight(share: float, whole: int) -> int:
    """`share` in percent as a weight out of `whole`. Raises ValueError when it is none."""
    exact = Fraction(str(share)) * whole / PERCENT
    if exact.denominator != 1:
        raise ValueError(f"{share:g} % is no weight out of {whole}")
    return int(exact)
