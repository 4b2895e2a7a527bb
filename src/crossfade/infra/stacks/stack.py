"""What every stack has in common: the file, names, region, and that it goes away whole."""

import aws_cdk as cdk
from constructs import Construct, IConstruct

from crossfade.infra.names import resource_name
from crossfade.model.file import MigrationFile


class MigrationStack(cdk.Stack):
    """A stack of one migration. No resource of it survives its destruction."""

    def __init__(self, scope: Construct, kind: str, *, file: MigrationFile, description: str) -> None:
        self.file = file
        environment = cdk.Environment(account=file.environment.account, region=file.environment.region)
        super().__init__(
            scope,
            kind,
            stack_name=resource_name(file, kind),
            env=environment,
            description=f"{file.migration.name}: {description}",
        )

    @property
    def account_text(self) -> str:
        """The account as findings of a review write it."""
        return self.file.environment.account or "<AWS::AccountId>"

    def named(self, kind: str) -> str:
        """The name of a resource: `kind-suffix`."""
        return resource_name(self.file, kind)


_PACKS = ("NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321")


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """A reviewer's rules that this construct does not keep, and why that is right here. Never for a whole stack.

    A rule of AwsSolutions is named whole; others without their pack, and count in each pack that has them.
    """
    if isinstance(construct, cdk.Stack | cdk.App):
        raise TypeError("acknowledge findings beside the resource, not for a whole stack")
    names = [name for rule in rules for name in _in_packs(rule)]
    cdk.Validations.of(construct).acknowledge(*(cdk.Acknowledgment(id=name, reason=reason) for name in names))


def _in_packs(rule: str) -> list[str]:
    return [f"AwsSolutions::{rule}"] if rule.startswith("AwsSolutions-") else [f"{p}::{p}-{rule}" for p in _PACKS]
