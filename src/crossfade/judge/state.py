"""All evidence that the judge holds between looks."""

from dataclasses import dataclass, field

from crossfade.judge.counted_labels import CountedLabels
from crossfade.judge.error_labels import ErrorLabels
from crossfade.judge.latency_labels import LatencyLabels
from crossfade.judge.settings import JudgeSettings, Metric
from crossfade.judge.step import StepCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """All evidence so far; its size does not grow with the looks.

    `latency` and `step` are None before the first look that brings them; `counted` is in the order of the settings.
    """

    errors: ErrorLabels = field(default_factory=ErrorLabels)
    latency: LatencyLabels | None = None
    counted: tuple[CountedLabels, ...] = ()
    step: StepCounts | None = None

    def at_step(self, step: int) -> "JudgeState":
        """The same evidence against the canary; of a new step, none yet for its promotion."""
        if self.step is not None and self.step.step == step:
            return self
        return JudgeState(
            errors=self.errors.at_new_step(),
            latency=self.latency.at_new_step() if self.latency else None,
            counted=tuple(labels.at_new_step() for labels in self.counted),
            step=StepCounts(step=step),
        )

    def labels(self, name: str, settings: JudgeSettings) -> ErrorLabels | LatencyLabels | CountedLabels | None:
        """The evidence of one metric; None of latency before anything was seen."""
        if name == Metric.ERRORS:
            return self.errors
        if name == Metric.LATENCY:
            return self.latency
        at = next(at for at, metric in enumerate(settings.counted) if metric.name == name)
        return self.counted[at]

    def log_e(self, name: str, settings: JudgeSettings) -> float:
        """Logarithm of the e-value against the canary; 0 (an e-value of 1) before anything was seen."""
        labels = self.labels(name, settings)
        return labels.log_e if labels else 0.0

    def worst(self, settings: JudgeSettings) -> str:
        """The metric with the most evidence against the canary, each measured by what would abort."""
        return max(settings.names, key=lambda name: self.log_e(name, settings) - settings.log_threshold_of(name))
