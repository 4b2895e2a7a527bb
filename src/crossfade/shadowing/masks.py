"""Where the key of the masks comes from."""

import os
import secrets
from pathlib import Path

from crossfade.model.errors import CrossfadeError
from crossfade.model.file.texts import SecretReference, SecretStore
from crossfade.shadow.masking import LEAST_KEY_BYTES

_MOST_BYTES = 4096


class MaskKeyUnusable(CrossfadeError):
    """The key of the masks cannot be read, or is no key. Neither it nor any part of it is said."""

    def __init__(self, reference: SecretReference, why: str, remedy: str) -> None:
        self.reference, self.why, self.remedy = reference, why, remedy
        super().__init__(f"mask_key: {reference} {why}")


def mask_key(reference: SecretReference | None) -> bytes:
    """The key that `reference` names; without one a new key, which nobody else knows. Raises `MaskKeyUnusable`."""
    if reference is None:
        return secrets.token_bytes(32)
    if reference.store is SecretStore.ENV:
        key = os.environb.get(reference.name.encode(), b"")
    elif reference.store is SecretStore.FILE:
        key = _of_file(reference)
    else:
        raise MaskKeyUnusable(reference, "is not read here", "Name env:NAME or file:/path, or leave it out.")
    if len(key) < LEAST_KEY_BYTES:
        remedy = "Make a key that nobody can guess, such as 32 random bytes in hexadecimal."
        raise MaskKeyUnusable(reference, f"holds fewer than {LEAST_KEY_BYTES} bytes", remedy)
    return key


def _of_file(reference: SecretReference) -> bytes:
    try:
        with Path(reference.name).open("rb") as file:
            return file.read(_MOST_BYTES).strip()
    except OSError as failure:
        why = f"cannot be read: {failure.strerror}"
        raise MaskKeyUnusable(reference, why, "Check the path and its permissions.") from failure
