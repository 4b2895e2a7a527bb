"""The settings of `crossfade judge` as a file: of the judge, and of guards beside it."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from crossfade.judge import BurnLimit, CountedMetric, GuardLimits, JudgeSettings, Metric

DEFAULTS = JudgeSettings()
LIMITS = GuardLimits()
COUNTED = CountedMetric(name="conversion")
Seconds = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class ConfigRecord(BaseModel):
    """What is left out has its default."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class CountedConfig(ConfigRecord):
    """How one counted metric is judged."""

    margin: float = COUNTED.margin
    tolerance: float = COUNTED.tolerance
    promotes: bool = COUNTED.promotes


class BurnConfig(ConfigRecord):
    """One limit of the burn rate."""

    rate: float
    window_seconds: Seconds
    short_window_seconds: Seconds


class GuardsConfig(ConfigRecord):
    """Absolute limits; a guard is switched off by null, or by an empty list."""

    error_rate: float | None = LIMITS.error_rate
    p95_ms: float | None = LIMITS.p95_ms
    window_seconds: Seconds = LIMITS.window.total_seconds()
    availability: float = LIMITS.availability
    burn: tuple[BurnConfig, ...] | None = None
    minimum_requests: int = LIMITS.minimum_requests
    minimum_errors: int = LIMITS.minimum_errors
    common_ratio: float = LIMITS.common_ratio

    def limits(self) -> GuardLimits:
        """Raises GuardLimitsInvalid with every fault."""
        burn = LIMITS.burn
        if self.burn is not None:
            burn = tuple(
                BurnLimit(
                    rate=limit.rate,
                    window=timedelta(seconds=limit.window_seconds),
                    short_window=timedelta(seconds=limit.short_window_seconds),
                )
                for limit in self.burn
            )
        told = self.model_dump(exclude={"window_seconds", "burn"})
        return GuardLimits(window=timedelta(seconds=self.window_seconds), burn=burn, **told)


class JudgeConfig(ConfigRecord):
    """Settings of the judge; `guards` asks for guards beside it."""

    metrics: tuple[str, ...] | None = None
    counted: dict[str, CountedConfig] = Field(default_factory=dict)
    weights: dict[str, float] = Field(default_factory=dict)
    alpha: float = DEFAULTS.alpha
    promotion_alpha: float = DEFAULTS.promotion_alpha
    latency_margin: float = DEFAULTS.latency_margin
    latency_allowance_ms: float = DEFAULTS.latency_allowance_ms
    latency_tolerance: float = DEFAULTS.latency_tolerance
    error_tolerance: float = DEFAULTS.error_tolerance
    error_rate_limit: float = DEFAULTS.error_rate_limit
    minimum_requests: int = DEFAULTS.minimum_requests
    settling_looks: int = DEFAULTS.settling_looks
    sticky_users: int = DEFAULTS.sticky_users
    guards: GuardsConfig | None = None

    def settings(self, observed: tuple[str, ...]) -> JudgeSettings:
        """What is judged: the metrics that the file names, else those observed; and the counted ones with settings.

        Of a rollout that lacks a metric, its weight is nobody's. Raises JudgeSettingsInvalid with every fault.
        """
        names = self.metrics if self.metrics is not None else observed
        names += tuple(name for name in self.counted if name not in names)
        weighed = tuple(self.weights.items())
        if self.metrics is None:
            weighed = tuple((name, weight) for name, weight in weighed if name in names)
        told = self.model_dump(exclude={"metrics", "counted", "weights", "guards"})
        return JudgeSettings(
            metrics=tuple(Metric(name) for name in names if name in [*Metric]),
            counted=tuple(self._counted(name) for name in names if name not in [*Metric]),
            weights=weighed,
            **told,
        )

    def _counted(self, name: str) -> CountedMetric:
        told = self.counted.get(name, CountedConfig())
        return CountedMetric(name=name, margin=told.margin, tolerance=told.tolerance, promotes=told.promotes)
