"""The rules that others judge canaries by, written from their public definitions. They are measured, nothing else.

Each rule takes a batch of drawn rollouts and says after which looks it would abort. Rules that others run at the end of
a step speak only after a step's last look, from that step's counts; the rest after each look.
"""

from collections.abc import Callable, Mapping

from benchmarks.peers.batch import Alarms, Batch
from benchmarks.peers.burn_rate import burns_fast
from benchmarks.peers.fisher import fails_more_often
from benchmarks.peers.kayenta import scores_low
from benchmarks.peers.mann_whitney import is_slower, is_slower_corrected
from benchmarks.peers.p95_ratio import has_slower_p95
from benchmarks.peers.pooled_msprt import has_slower_pooled_mean

Rule = Callable[[Batch], Alarms]

PEERS: Mapping[str, Rule] = {
    "Mann-Whitney, p < 0.05 each step": is_slower,
    "Mann-Whitney, Bonferroni": is_slower_corrected,
    "Kayenta's judge": scores_low,
    "p95 ratio over 1.2": has_slower_p95,
    "mSPRT, pooled": has_slower_pooled_mean,
    "Fisher, Bonferroni": fails_more_often,
    "burn rate 10x, one minute": burns_fast,
}
