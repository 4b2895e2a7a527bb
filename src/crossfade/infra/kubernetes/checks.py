"""What the new side is asked before a blue-green promotion, when no user asks it anything yet.

A job for each check of `checks.http`, as often as `checks.attempts`. Argo's own provider `web` takes no answer but
JSON, and counts a bad status as its own error; so a job asks.
"""

from crossfade.infra.kubernetes.analysis import template_name
from crossfade.infra.kubernetes.names import (
    ROLLOUTS_API,
    SERVICE_PORT,
    Object,
    labels,
    metadata,
    whole_seconds,
)
from crossfade.infra.kubernetes.sides import sides
from crossfade.model.file import MigrationFile
from crossfade.model.file.checks import HttpCheck

CHECKS = "checks"

ASKING = """\
answer="${TMPDIR:-/tmp}/answer"
i=0
while [ "$i" -lt "$ATTEMPTS" ]; do
  [ "$i" -eq 0 ] || sleep "$RETRY_AFTER"
  status=$(curl --silent --show-error --output "$answer" --write-out '%{http_code}' --max-time "$TIMEOUT" "$URL")
  if [ "$status" = "$STATUS" ] && grep -qF -- "$CONTAINS" "$answer"; then
    echo "$URL answers $status"
    exit 0
  fi
  i=$((i + 1))
done
echo "$URL answers $status, not $STATUS with '$CONTAINS' in it"
exit 1
"""
"""What the job does, by POSIX shell. Everything from the file comes in as variables, nothing as text of the script."""


def checks_template(file: MigrationFile) -> Object:
    """One metric for each check: the job ends well, or the promotion does not begin."""
    return {
        "apiVersion": ROLLOUTS_API,
        "kind": "AnalysisTemplate",
        "metadata": metadata(file, template_name(file, CHECKS)),
        "spec": {"metrics": [_metric(file, check) for check in file.checks.http]},
    }


def _metric(file: MigrationFile, check: HttpCheck) -> Object:
    return {
        "name": check.name,
        "count": 1,
        "failureLimit": 0,
        "inconclusiveLimit": 0,
        "consecutiveErrorLimit": 0,
        "provider": {
            "job": {
                "metadata": {"labels": {"app.kubernetes.io/managed-by": labels(file)["app.kubernetes.io/managed-by"]}},
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": _longest(file, check),
                    "template": {"spec": _pod(file, check)},
                },
            }
        },
    }


def _pod(file: MigrationFile, check: HttpCheck) -> Object:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "ask",
                "image": file.kubernetes.check_image,
                "command": ["sh", "-c", ASKING],
                "env": [{"name": name, "value": value} for name, value in variables(file, check).items()],
                "resources": {
                    "requests": {"cpu": "50m", "memory": "32Mi"},
                    "limits": {"cpu": "50m", "memory": "32Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # a path in the container
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}],
    }


def variables(file: MigrationFile, check: HttpCheck) -> dict[str, str]:
    """What the script is told."""
    service = f"{sides(file).new}.{file.kubernetes.namespace}.svc"
    return {
        "URL": f"http://{service}:{SERVICE_PORT}{check.path}",
        "STATUS": str(check.status),
        "CONTAINS": check.contains,
        "TIMEOUT": str(whole_seconds(check.timeout)),
        "ATTEMPTS": str(file.checks.attempts),
        "RETRY_AFTER": str(whole_seconds(file.checks.retry_after)),
    }


def _longest(file: MigrationFile, check: HttpCheck) -> int:
    """With half a minute for the image to arrive."""
    attempts = file.checks.attempts
    return 30 + attempts * (whole_seconds(check.timeout) + whole_seconds(file.checks.retry_after))
