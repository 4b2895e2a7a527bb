"""Which servers are one application, and why; what many share; what talks to what. Pure: from an inventory alone."""

from crossfade.planning.applications.finding import find_applications
from crossfade.planning.applications.records import ApplicationMap

__all__ = ["ApplicationMap", "find_applications"]
