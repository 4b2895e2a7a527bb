"""What a migration file names and keeps in files beside itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Contents, read before anything is synthesised."""

    certificates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """PEM text of `root_certificate` of the databases `source` and `target`, where the file names one."""
    documents: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))
    """Systems Manager documents of `servers.configuration`, by name."""
