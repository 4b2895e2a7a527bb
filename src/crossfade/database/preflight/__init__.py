"""Everything that would make the move fail later, found before anything is changed. Source: docs/preflight.md."""

from crossfade.database.preflight.catalog import CHECKS
from crossfade.database.preflight.check import Check, Found, Options, Place
from crossfade.database.preflight.examination import examine, inspect
from crossfade.database.preflight.script import script_of

__all__ = ["CHECKS", "Check", "Found", "Options", "Place", "examine", "inspect", "script_of"]
