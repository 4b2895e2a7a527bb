"""What AnalysisTemplates are told by whoever starts an analysis."""

from datetime import timedelta

from crossfade.infra.kubernetes.names import Object, seconds

CANARY, STABLE, WINDOW, TOKEN = "canary-hash", "stable-hash", "window", "prometheus-token"


def said(name: str) -> str:
    """The place of an argument in a query."""
    return f"{{{{args.{name}}}}}"


def analysis_arguments(*, window: timedelta | None = None) -> list[Object]:
    """The pod hashes of both sides, and the window that is looked at where the template asks for one."""
    found: list[Object] = [
        {"name": CANARY, "valueFrom": {"podTemplateHashValue": "Latest"}},
        {"name": STABLE, "valueFrom": {"podTemplateHashValue": "Stable"}},
    ]
    if window is not None:
        found.append({"name": WINDOW, "value": seconds(window)})
    return found


def declared(*, window: bool, token_secret: str | None) -> list[Object]:
    """`spec.args` of a template. A token comes from a Secret of the namespace; it stands nowhere here."""
    names = [CANARY, STABLE, *([WINDOW] if window else [])]
    found: list[Object] = [{"name": name} for name in names]
    if token_secret is not None:
        found.append({"name": TOKEN, "valueFrom": {"secretKeyRef": {"name": token_secret, "key": "token"}}})
    return found
