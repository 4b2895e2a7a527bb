"""How ready each application is to be moved: stated factors, each with its value, its points and the reason."""

from crossfade.planning.readiness.records import Readiness
from crossfade.planning.readiness.scoring import DEFAULT_WEIGHTS, readiness_of

__all__ = ["DEFAULT_WEIGHTS", "Readiness", "readiness_of"]
