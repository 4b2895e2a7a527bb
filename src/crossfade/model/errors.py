"""The one root of everything that can go wrong and that a person can do something about."""

from typing import ClassVar


class CrossfadeError(Exception):
    """Something failed. Subclasses hold typed fields and build the message from them.

    `retryable`: trying the same again may succeed. `remedy`: what a person can do, one sentence.
    """

    retryable: ClassVar[bool] = False
    remedy: str = ""
