"""Functions of Lambda from the folder `lambdas`, where each has a package of its own."""

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from crossfade.infra import lambdas
from crossfade.infra.constructs.keys import StackKey
from crossfade.infra.constructs.logs import log_groups
from crossfade.infra.constructs.roles import ServiceRole
from crossfade.infra.names import resource_name
from crossfade.infra.stacks.stack import acknowledge
from crossfade.model.file import MigrationFile

_CODE = Path(lambdas.__file__).parent
NO_POOL = (
    "Reserving concurrency takes it from the account's pool, which small accounts cannot give; the function is called "
    "once for each change of one thing."
)


class LoggedRole(ServiceRole):
    """The role of a function, which may do nothing at first but write its log."""

    def __init__(self, scope: Construct, identity: str, *, file: MigrationFile, kind: str, key: StackKey) -> None:
        super().__init__(
            scope,
            f"{identity}Role" if identity else "Role",
            name=resource_name(file, f"role-{kind}"),
            service="lambda.amazonaws.com",
            on_behalf_of_anyone=True,  # Lambda sends no source account when it takes a function's role
        )
        self.function_name = resource_name(file, f"function-{kind}")
        self.log_group = log_groups(scope, file, key, {f"{identity}Logs": f"/aws/lambda/{self.function_name}"})[
            f"{identity}Logs"
        ]
        self.may("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])


class PackagedFunction(lambda_.Function):
    """It runs `handle` of a package's `handler`, deployed without its siblings."""

    def __init__(  # noqa: PLR0913  # all that tells one function from another
        self,
        scope: Construct,
        package: str,
        *,
        does: str,
        role: LoggedRole,
        key: StackKey,
        environment: Mapping[str, str],
        lost: sqs.IQueue | None = None,
    ) -> None:
        """`role` is given whole, so that nothing adds to it: with an environment it must be let decrypt with `key`.

        `lost` keeps what could not be done after two more attempts, of what is told and not asked.
        """
        super().__init__(
            scope,
            "Function",
            function_name=role.function_name,
            description=does,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{package}.handler.handle",
            code=lambda_.Code.from_asset(str(_CODE), exclude=["*", f"!{package}", f"!{package}/*.py"]),
            role=role.without_policy_updates(),
            timeout=cdk.Duration.seconds(60),
            memory_size=256,
            log_group=role.log_group,
            dead_letter_queue=lost,
            retry_attempts=2 if lost else None,
            environment_encryption=key if environment else None,
            environment=dict(environment),
        )
        acknowledge(self, NO_POOL, "LambdaConcurrency")
