"""What can be wrong with a source of counts before it is asked, and with what it answers."""

from crossfade.model.errors import CrossfadeError
from crossfade.model.file.texts import SecretReference


class Unfit(CrossfadeError):
    """Nothing can be counted from what was answered; its text is the reason. An adapter turns it into NO_DATA."""

    remedy = "See docs/metrics.md."


class MetricsUndescribed(CrossfadeError):
    """The file's section `metrics` lacks `key`, without which its engine cannot be asked."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.remedy = f"Write metrics.{key} into the file; docs/metrics.md has examples."
        super().__init__(f"where counts come from is not described: metrics.{key} is missing")


class TokenMissing(CrossfadeError):
    """`reference` names no token that can be read from here."""

    def __init__(self, reference: SecretReference, problem: str) -> None:
        self.reference, self.problem = reference, problem
        self.remedy = "See that `metrics.credentials` names env:NAME or file:/path, and that the token is there."
        super().__init__(f"the token for the metrics, {reference}, cannot be read: {problem}")
