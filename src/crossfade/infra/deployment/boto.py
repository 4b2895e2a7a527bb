"""An account as boto3 finds it: credentials and endpoints come from the environment, as for AWS's own tools."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from crossfade.infra.deployment import errors
from crossfade.infra.deployment.account import DeployedStack, Identity

_BRIEF = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
_COUNTED = {
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs"),
    "AWS::EC2::EIP": ("ec2", "describe_addresses", "Addresses"),
    "AWS::EC2::VPNConnection": ("ec2", "describe_vpn_connections", "VpnConnections"),
    "AWS::RDS::DBInstance": ("rds", "describe_db_instances", "DBInstances"),
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_REFUSED = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "AuthFailure",
    "InvalidAccessKeyId",
    "OptInRequired",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_LATER = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "ServiceUnavailable"}


class BotoAccount:
    """Asks AWS, or whatever AWS_ENDPOINT_URL and its kin name. Raises the errors beside it, and no other."""

    def __init__(self, region: str) -> None:
        self.region = region
        with self._translated("the credentials' sources"):
            self._session = boto3.session.Session(region_name=region)

    def identity(self) -> Identity:
        with self._translated("sts:GetCallerIdentity"):
            told = self._client("sts").get_caller_identity()
        return Identity(account=told["Account"], name=told["Arn"])

    def bootstrap_version(self, parameter: str) -> int | None:
        with self._translated("ssm:GetParameter"):
            ssm = self._client("ssm")
            try:
                return int(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
            except ssm.exceptions.ParameterNotFound:
                return None

    def stacks(self) -> Mapping[str, DeployedStack]:
        with self._translated("cloudformation:DescribeStacks"):
            pages = self._client("cloudformation").get_paginator("describe_stacks").paginate()
            return {
                stack["StackName"]: DeployedStack(
                    status=stack["StackStatus"], tags={tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())}
                )
                for page in pages
                for stack in page["Stacks"]
                if stack["StackStatus"] != "DELETE_COMPLETE"
            }

    def has_secret(self, name: str) -> bool:
        with self._translated("secretsmanager:DescribeSecret"):
            secrets = self._client("secretsmanager")
            try:
                return "DeletedDate" not in secrets.describe_secret(SecretId=name)
            except secrets.exceptions.ResourceNotFoundException:
                return False

    def quota(self, service: str, code: str) -> float | None:
        with self._translated("servicequotas:GetServiceQuota"):
            quotas = self._client("service-quotas")
            try:
                value = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"].get("Value")
            except quotas.exceptions.NoSuchResourceException:
                return None
        return None if value is None else float(value)

    def in_use(self, kind: str) -> int:
        service, operation, key = _COUNTED[kind]
        with self._translated(f"{service}:{operation}"):
            client = self._client(service)
            if client.can_paginate(operation):
                return sum(len(page[key]) for page in client.get_paginator(operation).paginate())
            return sum(one.get("State") != "deleted" for one in getattr(client, operation)()[key])

    def _client(self, service: str) -> Any:
        return self._session.client(service, config=_BRIEF)

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        """What botocore raises, in our words. An SSO that has run out comes before the credentials that it lacks."""
        try:
            yield
        except (
            exceptions.TokenRetrievalError,
            exceptions.UnauthorizedSSOTokenError,
            exceptions.SSOTokenLoadError,
        ) as told:
            raise errors.CredentialsExpired(str(told)) from told
        except (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.ProfileNotFound,
            exceptions.NoAuthTokenError,
        ) as told:
            raise errors.CredentialsMissing(str(told)) from told
        except exceptions.ClientError as told:
            raise self._from_service(operation, told) from told
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as told:
            raise errors.AccountSilent(str(told)) from told
        except exceptions.BotoCoreError as told:
            raise errors.AccountRefused(operation, str(told)) from told

    def _from_service(self, operation: str, told: exceptions.ClientError) -> Exception:
        code = told.response.get("Error", {}).get("Code", "")
        if code in _EXPIRED:
            return errors.CredentialsExpired(code)
        if code in _REFUSED:
            return errors.CredentialsRefused(self.region, code)
        if code in _DENIED:
            return errors.NotAllowed(operation)
        if code in _LATER:
            return errors.AccountSilent(code)
        return errors.AccountRefused(operation, told.response.get("Error", {}).get("Message") or code or str(told))
