"""What can go wrong with a facade.

The fields are those of the errors elsewhere in Crossfade; the root is the facade's own, because an application that
takes the facade takes nothing else of Crossfade with it (docs/facade.md, 'Alone').
"""

from typing import ClassVar


class FacadeError(Exception):
    """Something failed. Subclasses hold typed fields and build the message from them.

    `retryable`: trying the same again may succeed. `remedy`: what a person can do, one sentence.
    """

    retryable: ClassVar[bool] = False
    remedy: str = ""


class SettingsInvalid(FacadeError):
    """Settings of a facade or an experiment that make no sense. `faults` holds all of them."""

    remedy = "Correct the settings named."

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("The facade cannot work with these settings: " + "; ".join(faults) + ".")


class RolloutInvalid(FacadeError):
    """A flag's value that is no rollout. `faults` holds all that is wrong with it, and never the value itself."""

    remedy = 'Give the flag a value such as {"mode": "shadow", "percent": 10}.'

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("This is no rollout: " + "; ".join(faults) + ".")


class FlagUnanswered(FacadeError):
    """The flag provider gave no value, `reason` says why."""

    retryable = True
    remedy = "See that the flag exists and that its provider is ready."

    def __init__(self, flag: str, reason: str) -> None:
        self.flag, self.reason = flag, reason
        super().__init__(f"the flag {flag} has no answer: {reason}")


class SharesUnreadable(FacadeError):
    """Crossfade's shares could not be read where they should stand."""

    retryable = True
    remedy = "Name the runtime folder of a router that Crossfade leads, and see that it can be read."

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(f"the shares in {place} cannot be read: {reason}")


class SideEffectRefused(FacadeError):
    """Code that runs as a shadow was about to change something. Nothing was changed."""

    remedy = "Leave this effect out while `in_shadow()`, or say `side_effects=True` of the experiment."

    def __init__(self, effect: str, experiment: str) -> None:
        self.effect, self.experiment = effect, experiment
        super().__init__(f"{effect} was refused: it runs as the shadow of {experiment}")


class NothingDone(FacadeError):
    """To be raised by a modern implementation with side effects that failed before it changed anything.

    Only this, and what `fall_back_on` names, lets such an experiment fall back: else legacy might do it twice.
    """

    retryable = True
    remedy = "Nothing: the legacy implementation answers instead."
