"""Shadow comparison: does the candidate answer what the control answers? Pure.

`read_pair` checks a recorded line, `Comparer` folds pairs into verdicts by field. docs/shadow.md explains the method.
"""

from crossfade.model.comparing import FieldCounts
from crossfade.shadow.comparison import ComparedField, Comparer, Comparison
from crossfade.shadow.evidence import FieldVerdict
from crossfade.shadow.example import Example
from crossfade.shadow.fields import FieldTree
from crossfade.shadow.latency import LatencyRatio
from crossfade.shadow.masked import masked_answer
from crossfade.shadow.masking import Masker
from crossfade.shadow.pair import Answer, Pair, PairFault, read_pair
from crossfade.shadow.rules import Rules
from crossfade.shadow.sampling import is_sampled
from crossfade.shadow.settings import ShadowSettings, read_settings

__all__ = [
    "Answer",
    "ComparedField",
    "Comparer",
    "Comparison",
    "Example",
    "FieldCounts",
    "FieldTree",
    "FieldVerdict",
    "LatencyRatio",
    "Masker",
    "Pair",
    "PairFault",
    "Rules",
    "ShadowSettings",
    "is_sampled",
    "masked_answer",
    "read_pair",
    "read_settings",
]
