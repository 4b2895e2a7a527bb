"""Migration files to start a test from."""

from typing import Any

import yaml

from crossfade.model.file import Fault, MigrationFile, load


def minimal() -> dict[str, Any]:
    """The least that a file must say."""
    return {
        "version": 1,
        "migration": {"name": "ledger", "owner": "platform"},
        "environment": {"suffix": "dev"},
        "source": {"cidr": "192.168.0.0/16"},
        "servers": {"count": 12},
        "database": {"name": "ledger", "size": "500GB", "application_roles": ["app"]},
    }


def with_values(**changes: Any) -> str:
    """The minimal file with values set by path (`traffic__ladder__step=30`), as text."""
    data = minimal()
    for path, value in changes.items():
        *way, last = path.split("__")
        place = data
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    return yaml.safe_dump(data, sort_keys=False)


def sound(text: str) -> MigrationFile:
    result = load(text, "migration.yaml")
    assert isinstance(result, MigrationFile), result
    return result


def faults(text: str) -> tuple[Fault, ...]:
    result = load(text, "migration.yaml")
    assert isinstance(result, tuple)
    assert result
    return result


def said(text: str) -> dict[str, str]:
    """Path to 'problem — remedy' of every fault."""
    told: dict[str, str] = {}
    for fault in faults(text):
        words = f"{fault.problem} — {fault.remedy}"
        told[fault.path] = f"{told[fault.path]}; {words}" if fault.path in told else words
    return told
