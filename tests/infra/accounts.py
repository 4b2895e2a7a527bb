"""An account in memory, as ready as a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crossfade.infra.deployment.account import DeployedStack, Identity
from crossfade.infra.deployment.errors import NotAllowed


@dataclass
class AccountInMemory:
    account: str = "123456789012"
    bootstrapped: int | None = 30
    deployed: dict[str, DeployedStack] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    quotas: dict[str, float] = field(default_factory=dict)
    """By code; those that are not named are not told."""
    used: dict[str, int] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)

    def identity(self) -> Identity:
        return Identity(account=self.account, name=f"arn:aws:iam::{self.account}:user/ada")

    def bootstrap_version(self, parameter: str) -> int | None:
        self._may("bootstrap")
        return self.bootstrapped

    def stacks(self) -> Mapping[str, DeployedStack]:
        return self.deployed

    def has_secret(self, name: str) -> bool:
        self._may("secrets")
        return name in self.secrets

    def quota(self, service: str, code: str) -> float | None:
        self._may("quotas")
        return self.quotas.get(code)

    def in_use(self, kind: str) -> int:
        return self.used.get(kind, 0)

    def _may(self, what: str) -> None:
        if what in self.denied:
            raise NotAllowed(what)
