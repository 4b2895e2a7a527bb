"""Resources that CloudFormation has no type for: a function of ours makes them, through CDK's Provider framework."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as custom
from constructs import Construct

from crossfade.infra.constructs.functions import NO_POOL, LoggedRole, PackagedFunction
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.stacks.stack import acknowledge
from crossfade.model.file import MigrationFile

_OUTSIDE = "It calls public endpoints of AWS only, and nothing that stands in the VPC."
_ANSWERED = "CloudFormation waits for its answer and tells a failure to whoever deploys: nothing can be lost."


class TaughtResource(Construct):
    """One resource, made by the package `package` of the folder `lambdas`, which may do nothing until `role.may` says.

    `properties` reach the function as text: CloudFormation makes text of numbers and truths.
    """

    def __init__(self, scope: Construct, package: str, *, file: MigrationFile, key: StackKey, does: str) -> None:
        kind = package.replace("_", "-")
        super().__init__(scope, kind.title().replace("-", ""))
        self._kind = kind
        self.role = LoggedRole(self, "", file=file, kind=kind, key=key)
        function = PackagedFunction(self, package, does=does, role=self.role, key=key, environment={})
        self._provider = self._framework(function, file, key)
        for one in (function, self._provider):
            acknowledge(one, _OUTSIDE, "LambdaInsideVPC")
            acknowledge(one, _ANSWERED, "LambdaDLQ")

    def _framework(self, function: lambda_.Function, file: MigrationFile, key: StackKey) -> custom.Provider:
        """CDK's own function, which calls ours and answers CloudFormation."""
        role = LoggedRole(self, "Framework", file=file, kind=f"{self._kind}-framework", key=key)
        role.may("CallOurs", ["lambda:GetFunction", "lambda:InvokeFunction"], [function.function_arn])
        provider = custom.Provider(
            self,
            "Provider",
            on_event_handler=function,
            framework_on_event_role=role.without_policy_updates(),
            log_group=role.log_group,
            provider_function_name=role.function_name,
        )
        acknowledge(provider, NO_POOL, "LambdaConcurrency")
        return provider

    def make(self, properties: Mapping[str, str]) -> cdk.CustomResource:
        """The resource itself, once all that it needs has been said: it comes after the function's permissions."""
        made = cdk.CustomResource(
            self,
            "Resource",
            service_token=self._provider.service_token,
            resource_type=f"Custom::{self._kind.title().replace('-', '')}",
            properties=dict(properties),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        if self.role.permissions is not None:
            made.node.add_dependency(self.role.permissions)
        return made
