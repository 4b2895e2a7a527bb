"""Asking for a verification at rest, and its answer in short."""

import dataclasses

from crossfade.model.seen import Verification
from crossfade.verify.postgres import verify_at_rest
from tests.verify.conftest import Pair


def found(pair: Pair, **changes: object) -> Verification:
    return verify_at_rest(dataclasses.replace(pair.settings, **changes))  # type: ignore[arg-type]


def facts(verification: Verification) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(d.kind, d.key, d.columns) for d in verification.differences}
