"""What is asked of an account before anything is changed in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the credentials are."""

    account: str
    """Twelve digits."""
    name: str
    """ARN of the user or of the role's session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStack:
    """A stack as it stands in the account."""

    status: str
    """As CloudFormation says it: CREATE_COMPLETE, UPDATE_IN_PROGRESS …"""
    tags: Mapping[str, str]


class Account(Protocol):
    """An account in one region. Every question may raise one of the errors of `boto.py`; none changes anything."""

    def identity(self) -> Identity: ...

    def bootstrap_version(self, parameter: str) -> int | None:
        """The version that the parameter of Systems Manager tells; None: there is none."""

    def stacks(self) -> Mapping[str, DeployedStack]:
        """Every stack by name, deleted ones left out."""

    def has_secret(self, name: str) -> bool: ...

    def quota(self, service: str, code: str) -> float | None:
        """The quota that is in force; None: the service does not say."""

    def in_use(self, kind: str) -> int:
        """How many there are of a type of CloudFormation, one of `quotas.LOOKED_UP`."""
