"""Roles of services, with what they may do in a managed policy, statement by statement, each with a name."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


class Permitted:
    """May do nothing until `may` says so."""

    permissions: iam.ManagedPolicy | None = None
    """None: nothing yet."""

    def may(
        self,
        sid: str,
        actions: Sequence[str],
        resources: Sequence[str],
        conditions: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        """Add one statement. Its name says what for."""
        if self.permissions is None:
            self.permissions = self._policy()
        self.permissions.add_statements(
            iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions or {})
        )

    def _policy(self) -> iam.ManagedPolicy:
        """A new policy, attached."""
        raise NotImplementedError  # no abstract class: its metaclass cannot be joined with jsii's


class ServiceRole(iam.Role, Permitted):
    """A role that one service takes on behalf of this account alone."""

    def __init__(
        self, scope: Construct, identity: str, *, name: str, service: str, on_behalf_of_anyone: bool = False
    ) -> None:
        """`on_behalf_of_anyone`: the service sends no aws:SourceAccount, so that the condition would lock it out."""
        principal: iam.IPrincipal = iam.ServicePrincipal(service)
        if not on_behalf_of_anyone:
            account = cdk.Stack.of(scope).account
            principal = iam.PrincipalWithConditions(principal, {"StringEquals": {"aws:SourceAccount": account}})
        super().__init__(
            scope, identity, role_name=name, assumed_by=principal, description=f"{name}, taken by {service}"
        )

    def _policy(self) -> iam.ManagedPolicy:
        return iam.ManagedPolicy(self, "Permissions", roles=[self])
