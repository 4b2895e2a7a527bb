"""All evidence that the judge holds between looks."""

from dataclasses import dataclass, field

from crossfade.judge.error_labels import ErrorLabels
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.judge.settings import JudgeSettings, Metric
from crossfade.judge.step import StepCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """All evidence so far; its size does not grow with the looks.

    `latency` and `step` are None before the first look that brings them.
    """

    errors: ErrorLabels = field(default_factory=ErrorLabels)
    latency: LatencyLabels | None = None
    step: StepCounts | None = None

    def at_step(self, step: int) -> "JudgeState":
        """The same evidence against the canary; of a new step, none yet for its promotion."""
        if self.step is not None and self.step.step == step:
            return self
        return JudgeState(
            errors=self.errors.at_new_step(),
            latency=self.latency.at_new_step() if self.latency else None,
            step=StepCounts(step=step),
        )

    def log_e(self, metric: Metric) -> float:
        """Logarithm of the e-value against the canary; 0 (an e-value of 1) before anything was seen."""
        if metric is Metric.ERRORS:
            return self.errors.log_e
        return self.latency.log_e if self.latency else 0.0

    def worst(self, settings: JudgeSettings) -> Metric:
        """The metric with the most evidence against the canary."""
        return max(settings.metrics, key=self.log_e)
