"""The token that a source of counts asks for: read when it is needed, kept in memory only, never told."""

import os
from pathlib import Path

from crossfade.metrics.errors import TokenMissing
from crossfade.model.file.texts import SecretReference, SecretStore

_MOST_BYTES = 16_384


def read_token(reference: SecretReference) -> str:
    """The token. Raises TokenMissing when there is none, and for stores that are not read from here."""
    if reference.store is SecretStore.ENV:
        token = os.environ.get(reference.name, "").strip()
    elif reference.store is SecretStore.FILE:
        token = _from_file(reference)
    else:
        raise TokenMissing(reference, "that store is not read from here yet")
    if not token:
        raise TokenMissing(reference, "it is not set or empty")
    if not token.isascii() or not token.isprintable():
        raise TokenMissing(reference, "it holds letters that no header may hold")
    return token


def _from_file(reference: SecretReference) -> str:
    try:
        with Path(reference.name).open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii").strip()
    except OSError as refused:
        raise TokenMissing(reference, refused.strerror or type(refused).__name__) from None
    except UnicodeDecodeError:  # from None: the library's message holds what was read
        raise TokenMissing(reference, "it holds letters that no header may hold") from None
