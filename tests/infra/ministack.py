"""AWS on this computer: ministack, in an environment of its own below .venv, for as long as a test needs it."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from crossfade.rehearsal.processes import Launch, free_ports, start, stop
from tests.waiting import wait_for

_ENVIRONMENT = Path(sys.prefix) / "ministack" / "bin"
ACCOUNT, REGION = "123456789012", "us-east-1"
_HANDLERS = "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as h; print(*h)"


@dataclass(frozen=True)
class Ministack:
    url: str
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """For programs that speak with AWS: they reach this one and nothing else. An account is told by the key."""
        nowhere = str(self.home / "none")
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(self.home),
        }

    @cache  # noqa: B019  # it lives as long as the tests, and making a client takes longer than a call
    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="none",
        )


@contextmanager
def ministack(home: Path) -> Iterator[Ministack]:
    """Started and, at the end, ended; everything that it keeps lies in `home`.

    It binds 127.0.0.1 alone. Its broker of MQTT would bind every address, and is switched off.
    """
    (port,) = free_ports(1)
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "HOME": str(home),
        "TMPDIR": str(home),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    log = home / "ministack.log"
    process = start(Launch(argv=[str(_ENVIRONMENT / "ministack")], log=log, cwd=home, environment={**kept, **settings}))
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: process.poll() is not None or _answers(url))
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        yield Ministack(url, home)
    finally:
        stop(process, timeout=60)


def supported_types() -> frozenset[str]:
    """The types of CloudFormation that it has, asked of the installed version."""
    told = subprocess.run(
        [str(_ENVIRONMENT / "python"), "-c", _HANDLERS], capture_output=True, text=True, check=True
    ).stdout
    return frozenset(told.split())


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
