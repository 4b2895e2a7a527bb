"""Where a user stands in a rollout: a number in [0, 100) that never changes."""

from hashlib import sha256

STEPS = 100_000
"""As many places as there are thousandths of a percent, to which a router keeps its shares as well."""

SALT = ""
"""As in the migration file, `facade.salt`."""


def segment(user: str, salt: str = SALT) -> float:
    """The user's segment: 0.000, 0.001 … 99.999. The same in every process, on every computer, in every version.

    The first eight bytes of SHA-256 over the salt, a zero byte and the user's key, all UTF-8, are read as a big-endian
    number; its remainder by 100,000, divided by 1,000, is the segment. Whoever is below 5 is below 15 as well, so
    raising a percentage moves nobody back. Another salt deals the users anew, independently of the first.

    The key is taken byte by byte: `Ann` and `ann` are two users. Source: docs/facade.md, 'Segments', with vectors.
    """
    hashed = sha256(f"{salt}\0{user}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(hashed[:8], "big") % STEPS / 1000
