"""Which requests are compared: a stable choice, the same on every host and in every language."""

import hashlib

_POINTS = 1 << 64
_PURPOSE = "crossfade-shadow"  # so that the sample has nothing to do with other choices made from the same id


def point(request_id: str) -> float:
    """Where a request lies in [0, 100): the same for ever, evenly spread, whatever its id looks like.

    The first eight bytes of SHA-256 over `crossfade-shadow`, a zero byte and the id, in UTF-8, as a big-endian number,
    divided by 2 to the 64th, times 100. Half a surrogate pair, which UTF-8 cannot spell, is hashed as its three bytes.
    """
    digest = hashlib.sha256(f"{_PURPOSE}\0{request_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / _POINTS * 100


def is_sampled(request_id: str, percent: float) -> bool:
    """Whether a request belongs to the sample of `percent`, from 0 (none) to 100 (all).

    A larger sample holds every request of a smaller one.
    """
    return percent >= 100 or point(request_id) < percent
