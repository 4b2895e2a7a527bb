"""Crossfade as a provider of OpenFeature: any client can ask for a migration's shares. Needs the extra `facade`."""

# ruff: noqa: ARG002 - the signatures are OpenFeature's

from collections.abc import Mapping, Sequence

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import GeneralError, TargetingKeyMissingError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from crossfade.facade.errors import FacadeError
from crossfade.facade.rollout import Mode, Rollout
from crossfade.facade.segment import SALT, segment
from crossfade.facade.shares import ReadShares, SharesFlags


class SharesProvider(AbstractProvider):
    """Answers every flag from the same shares. Reads them anew at each question; a facade keeps the answers.

    As an object a flag is the rollout (what `OpenFeatureFlags` reads), as a number its percentage, as a string its
    mode. As a boolean it says whether modern answers the user whose key is the targeting key of the evaluation context.
    """

    def __init__(self, read: ReadShares, *, canary: Mode = Mode.MODERN_WITH_FALLBACK, salt: str = SALT) -> None:
        super().__init__()
        self._flags, self._salt = SharesFlags(read, canary=canary), salt

    def get_metadata(self) -> Metadata:
        return Metadata(name="Crossfade's shares")

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        rollout = self._rollout(flag_key)
        value: dict[str, FlagValueType] = {"mode": rollout.mode.value, "percent": rollout.percent}
        return FlagResolutionDetails(value=value, reason=Reason.STATIC, variant=rollout.mode.value)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return FlagResolutionDetails(value=self._rollout(flag_key).mode.value, reason=Reason.STATIC)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return FlagResolutionDetails(value=self._rollout(flag_key).percent, reason=Reason.STATIC)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Rounded down: never more users than there should be."""
        return FlagResolutionDetails(value=int(self._rollout(flag_key).percent), reason=Reason.STATIC)

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        rollout = self._rollout(flag_key)
        if rollout.mode in {Mode.LEGACY, Mode.SHADOW}:
            return FlagResolutionDetails(value=False, reason=Reason.STATIC)
        if rollout.percent >= 100:
            return FlagResolutionDetails(value=True, reason=Reason.STATIC)
        if evaluation_context is None or not evaluation_context.targeting_key:
            raise TargetingKeyMissingError("the targeting key is the user's")
        user = segment(evaluation_context.targeting_key, self._salt)
        return FlagResolutionDetails(value=rollout.includes(user), reason=Reason.SPLIT)

    def _rollout(self, flag: str) -> Rollout:
        try:
            return self._flags.rollout(flag)
        except FacadeError as failure:
            raise GeneralError(str(failure)) from failure
