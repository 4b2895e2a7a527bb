"""What CDK's validation wrote down. Pure but for the one file it reads."""

import json
from pathlib import Path
from typing import Any

REPORT = "validation-report.json"


def findings(folder: Path) -> tuple[str, ...]:
    """Each error and warning as `rule at construct`; without a report there is none: then nothing was found."""
    report = folder / REPORT
    if not report.is_file():
        return ()
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return tuple(
        f"{violation['ruleName']} at {_where(construct)}: {violation['description']}"
        for plugin in told["pluginReports"]
        for violation in plugin["violations"]
        if violation.get("severity") in {"error", "warning"}
        for construct in violation["violatingConstructs"]
    )


def _where(construct: dict[str, Any]) -> str:
    return str(construct.get("constructPath") or construct.get("cloudFormationResource", {}).get("logicalId", "?"))
