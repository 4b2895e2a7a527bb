"""What can go wrong between templates and an account."""

from dataclasses import dataclass
from pathlib import Path

from crossfade.model.errors import CrossfadeError


class CredentialsMissing(CrossfadeError):
    """Nothing says who asks."""

    remedy = "Log in, as with `aws sso login` or AWS_PROFILE; `aws sts get-caller-identity` must answer."

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"there are no credentials for AWS: {why}")


class CredentialsExpired(CrossfadeError):
    """They were good once."""

    remedy = "Log in anew, then do the same again."

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the credentials for AWS have expired: {why}")


class CredentialsRefused(CrossfadeError):
    """AWS does not know them, or not in this region."""

    remedy = "Use others; if they work elsewhere, enable the region for the account."

    def __init__(self, region: str, why: str) -> None:
        self.region, self.why = region, why
        super().__init__(f"AWS refuses the credentials in {region}: {why}")


class NotAllowed(CrossfadeError):
    """The credentials are good, and may not do this."""

    remedy = "Use credentials that may, or have it allowed."

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(f"the credentials may not call {operation}")


class AccountSilent(CrossfadeError):
    """No answer, or one that says: later."""

    retryable = True
    remedy = "Look at the network, at proxies and at AWS_ENDPOINT_URL; then do the same again."

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"AWS does not answer: {why}")


class AccountRefused(CrossfadeError):
    """AWS answers with an error that nobody expected here."""

    remedy = "Read what AWS says; `aws` says more with --debug."

    def __init__(self, operation: str, why: str) -> None:
        self.operation, self.why = operation, why
        super().__init__(f"AWS refuses {operation}: {why}")


class CommandLineMissing(CrossfadeError):
    """The command line of the CDK is not where the locks put it, or is another version."""

    def __init__(self, version: str, found: str | None, place: Path) -> None:
        self.version, self.found, self.place = version, found, place
        self.remedy = (
            f"Run `make setup` in a checkout; elsewhere `npm install --ignore-scripts aws-cdk@{version}` here."
        )
        what = f"version {found} cannot read these templates" if found else f"it is not at {place}"
        super().__init__(f"the command line of the CDK, aws-cdk {version}, is needed: {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One reason for which it cannot begin, or for which it failed."""

    problem: str
    remedy: str


def _listed(obstacles: tuple[Obstacle, ...]) -> str:
    return "\n".join(f"  {one.problem}" + (f"\n    → {one.remedy}" if one.remedy else "") for one in obstacles)


class NotReady(CrossfadeError):
    """The account is not ready; nothing was changed. All reasons together."""

    remedy = "See to each of them, then do the same again: nothing was changed."

    def __init__(self, obstacles: tuple[Obstacle, ...]) -> None:
        self.obstacles = obstacles
        super().__init__(f"the account is not ready:\n{_listed(obstacles)}")


class DeploymentFailed(CrossfadeError):
    """The command line of the CDK, or CloudFormation, gave up. What CloudFormation could it has rolled back."""

    remedy = "See to each of them, then do the same again: what is there already stays as it is."

    def __init__(self, verb: str, causes: tuple[Obstacle, ...]) -> None:
        self.verb, self.causes = verb, causes
        super().__init__(f"{verb} has failed:\n{_listed(causes)}")
