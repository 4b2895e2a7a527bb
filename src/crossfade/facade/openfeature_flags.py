"""Flags from any provider that OpenFeature knows. Needs the extra `facade`.

Source: https://openfeature.dev/specification/sections/flag-evaluation
"""

from openfeature import api
from openfeature.client import OpenFeatureClient

from crossfade.facade.errors import FlagUnanswered
from crossfade.facade.rollout import Rollout, rollout_from_flag


class OpenFeatureFlags:
    """Reads each experiment's rollout from the object flag of its name: `{"mode": "shadow", "percent": 10}`.

    The provider is asked for the experiment, never for a user: it learns of nobody, and every provider deals users in
    the same way. Conditions on anything else (region, version) can be put on the client's evaluation context.
    """

    def __init__(self, client: OpenFeatureClient | None = None) -> None:
        self._client = client or api.get_client()

    def rollout(self, flag: str) -> Rollout:
        """Raises FlagUnanswered, or RolloutInvalid for a value that is no rollout; and what the provider raises."""
        details = self._client.get_object_details(flag, {})
        if details.error_code is not None:
            raise FlagUnanswered(flag, str(details.error_code))
        if not details.value:
            raise FlagUnanswered(flag, "its provider has no value for it")
        return rollout_from_flag(details.value)
