"""Texts with a form: names, addresses, networks, and references to secrets (never secrets themselves)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from crossfade.model.file.form import Form


class SecretStore(StrEnum):
    """Where a secret is kept."""

    ENV = "env"
    FILE = "file"
    SECRETS_MANAGER = "secretsmanager"
    PARAMETER_STORE = "ssm"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """Names a secret; whoever needs it asks the store at that moment and keeps it in memory only."""

    store: SecretStore
    name: str

    def __str__(self) -> str:
        return f"{self.store}:{self.name}"


_SECRET = rf"({'|'.join(SecretStore)}):([A-Za-z0-9/_+=.@:-]{{1,512}})"
_REFERENCE_REMEDY = (
    "name where the secret is kept: env:NAME, file:/path, secretsmanager:NAME or ssm:/NAME; "
    "never write the secret itself"
)


def parse_secret(value: object) -> SecretReference:
    """`secretsmanager:ledger/source`: a reference. The value is never repeated in an error: it may be the secret."""
    if isinstance(value, SecretReference):
        return value
    if isinstance(value, str) and (match := re.fullmatch(_SECRET, value, re.ASCII)):
        return SecretReference(store=SecretStore(match[1]), name=match[2])
    raise PydanticCustomError("secret", "is not a reference to a secret", {"remedy": _REFERENCE_REMEDY})


def parse_network(value: object) -> IPv4Network:
    """`10.0.0.0/16`: an IPv4 network whose host bits are zero."""
    if isinstance(value, IPv4Network):
        return value
    remedy = "write an IPv4 network with its prefix length, such as 10.0.0.0/16"
    if not isinstance(value, str) or "/" not in value:
        raise PydanticCustomError("network", "is not a network", {"remedy": remedy})
    try:
        return IPv4Network(value)
    except ValueError as exc:
        if "host bits" in str(exc):
            remedy = f"write {IPv4Network(value, strict=False)}"
            raise PydanticCustomError("network", "has host bits set", {"remedy": remedy}) from exc
        raise PydanticCustomError("network", "is not a network", {"remedy": remedy}) from exc


def parse_address(value: object) -> IPv4Address:
    """`192.168.10.11`: one IPv4 address."""
    if isinstance(value, IPv4Address):
        return value
    try:
        return IPv4Address(value if isinstance(value, str) else "")
    except ValueError as exc:
        remedy = "write an IPv4 address such as 192.168.10.11"
        raise PydanticCustomError("address", "is not an IPv4 address", {"remedy": remedy}) from exc


def _url_without_secrets(value: str) -> str:
    """A web address; one that carries a user or password is refused, for the file is shared and versioned."""
    if not re.fullmatch(r"https?://[^\s/?#]+\S*", value):
        remedy = "write an address that begins with https:// (or http:// on this computer)"
        raise PydanticCustomError("url", "is not a web address", {"remedy": remedy})
    if "@" in value.split("//", 1)[1].split("/", 1)[0]:
        remedy = "take user and password out of the address and name a secret beside it"
        raise PydanticCustomError("url", "holds a user or a password", {"remedy": remedy})
    return value


Secret = Annotated[
    SecretReference,
    PlainValidator(parse_secret),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{_SECRET}$",
            "examples": ["secretsmanager:ledger/source"],
            "x-kind": "secret reference",
        }
    ),
]
Network = Annotated[
    IPv4Network,
    PlainValidator(parse_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+\.\d+\.\d+\.\d+/\d+$", "examples": ["10.0.0.0/16"], "x-kind": "network"}
    ),
]
Address = Annotated[
    IPv4Address,
    PlainValidator(parse_address),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "format": "ipv4", "x-kind": "address"}),
]
WebAddress = Annotated[str, AfterValidator(_url_without_secrets), Field(max_length=2048)]

Text = Annotated[str, Field(min_length=1, max_length=500)]
Slug = Annotated[
    str,
    Form(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "lower-case letters, digits and single hyphens, beginning with a letter", 40),
]
"""Fits into the name of an AWS resource."""
HostName = Annotated[str, Form(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "a host name or an address", 253)]
DatabaseName = Annotated[
    str, Form(r"[A-Za-z_][A-Za-z0-9_$]*", "the name as it stands in the catalogue, letters, digits and underscores", 63)
]
"""An SQL identifier, without quotes."""
TableName = Annotated[
    str, Form(r"[A-Za-z_][A-Za-z0-9_$]{0,62}(\.[A-Za-z_][A-Za-z0-9_$]{0,62})?", "`table` or `schema.table`", 127)
]
FieldPath = Annotated[str, Form(r"\S+", "names joined by dots, such as customer.email or items.*.id", 200)]
"""A place in a JSON body."""
Header = Annotated[str, Form(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "the name of an HTTP header, such as x-user-id", 100)]
UrlPath = Annotated[str, Form(r"/\S*", "a path that begins with /")]
FilePath = Annotated[str, Form(r"[^\x00-\x1f]+", "a path", 1000)]
InstanceType = Annotated[
    str,
    Form(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+", "an instance type, such as m6i.large, db.r6g.xlarge or dms.r6i.xlarge", 50),
]
Region = Annotated[str, Form(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region, such as us-east-1", 30)]
