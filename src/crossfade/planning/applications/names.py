"""What names of servers have in common: `shop-prod-web-01` and `shop-db2` are both of shop.

Words for environments, tiers and numbers are taken away; what is left, if several servers have it, is a name that they
share. A word that a good part of all servers begin with is the company's or the site's, and is taken away too.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence


def words(text: str) -> frozenset[str]:
    """The words of a text, for tables."""
    return frozenset(text.split())


ENVIRONMENT_WORDS = words(
    "prod prd production live test tst dev devel development uat qa stg stage staging int sit acc acceptance preprod "
    "pre demo train training sandbox sbx dr"
)
TIER_WORDS = words(
    "web www app apps application api db database sql mysql postgres pg pgsql ora oracle mssql mongo redis cache mq "
    "queue lb proxy front frontend fe back backend be srv server svr vm host node nd worker wrk batch job etl file "
    "files fs svc service primary replica n s v lx lnx linux win windows cluster cl clu"
)
COMMON_SHARE = 0.4
FEWEST_FOR_COMMON = 10
_SHORTEST = 2
_SPLIT = re.compile(r"[-_\s.]+")
_COUNTER = re.compile(r"^\d+|\d+[a-z]?$")
_GLUED_BEFORE = re.compile(r"^(?:prod|prd|test|tst|dev|uat|stg|qas)(?=[a-z]{3,})")
_GLUED_AFTER = re.compile(r"(?<=[a-z]{3})(?:prod|prd|test|tst|dev|uat|stg)\d*$")
_GLUED_TIER = re.compile(r"(?<=[a-z]{2})(?:web|app|api|db|sql|srv|ora)$")


def shared_names(names: Sequence[str]) -> dict[str, str]:
    """For each name the stem that it shares with at least one other; names that share none are not in it.

    A name of one word (`PRDSAPDB01`) is taken apart at known beginnings and ends.
    """
    tokens = {name: _tokens(name) for name in sorted(set(names))}
    common = _common(tokens)
    stems = {name: stem for name, words in tokens.items() if (stem := _stem(words, common))}
    counts = Counter(stems.values())
    return {name: stem for name, stem in stems.items() if counts[stem] > 1}


def _tokens(name: str) -> tuple[str, ...]:
    host = name.casefold()
    if re.fullmatch(r"[\d.]+|[\da-f:]+:[\da-f:]*", host):  # an address says nothing
        return ()
    words = [_COUNTER.sub("", word) for word in _SPLIT.split(host.split(".")[0])]
    words = [_GLUED_AFTER.sub("", word) for word in words if word]
    if len(words) == 1:
        words = [_GLUED_TIER.sub("", _GLUED_BEFORE.sub("", words[0]))]
    return tuple(words)


def _common(tokens: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    firsts = Counter(words[0] for words in tokens.values() if len(words) > 1)
    several = sum(firsts.values())
    if several < FEWEST_FOR_COMMON:
        return frozenset()
    return frozenset(word for word, count in firsts.items() if count >= COMMON_SHARE * several)


def _stem(words: tuple[str, ...], common: frozenset[str]) -> str:
    """The first word that is of the application, and those after it until one is of a tier or an environment."""
    if words and words[0] in common:
        words = words[1:]
    while words and words[0] in ENVIRONMENT_WORDS | TIER_WORDS:
        words = words[1:]
    kept: list[str] = []
    for word in words:
        if word in ENVIRONMENT_WORDS | TIER_WORDS:
            break
        kept.append(word)
    stem = "-".join(kept)
    return stem if len(stem) >= _SHORTEST else ""
