"""Where the image of a container comes from. Pure."""

import re
from dataclasses import dataclass

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)(?:[:@].+)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository of images on AWS."""

    account: str
    region: str
    name: str


def repository(image: str) -> Repository | None:
    """None: the image lies in a registry outside AWS."""
    found = _ECR.fullmatch(image)
    return Repository(**found.groupdict()) if found else None
