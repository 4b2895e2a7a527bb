"""The migration file: its schema, its faults, and what of it is built."""

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.fault import Fault
from crossfade.model.file.ladder import LadderStep
from crossfade.model.file.load import load
from crossfade.model.file.texts import SecretReference, SecretStore

__all__ = ["Fault", "LadderStep", "MigrationFile", "SecretReference", "SecretStore", "load"]
