"""Where an account comes from."""

from crossfade.infra.deployment.account import Account
from crossfade.infra.errors import ExtraMissing


def connect(region: str) -> Account:
    """The account of the environment's credentials. Raises ExtraMissing, or CredentialsMissing and its kin."""
    try:
        from crossfade.infra.deployment.boto import BotoAccount  # noqa: PLC0415  # needs the optional extra
    except ModuleNotFoundError as missing:
        raise ExtraMissing(missing.name or "boto3") from missing
    return BotoAccount(region)
