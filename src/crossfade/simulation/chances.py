"""Where every drawn number comes from: one seed, and a name for each use, so that leaving one out moves no other."""

from random import Random


def chances(seed: int, name: str) -> Random:
    """The numbers of `name` under `seed`: the same in any process and on any machine."""
    return Random(f"{seed}/{name}")
