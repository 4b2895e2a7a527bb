"""Folds pairs into counts by field, and counts into verdicts. Constant memory, whatever the number of pairs."""

from dataclasses import dataclass

from crossfade.judge.capital import e_value
from crossfade.model.comparing import FieldCounts
from crossfade.shadow.answers import compare
from crossfade.shadow.evidence import FieldVerdict, log_e_regression, verdict
from crossfade.shadow.example import Example, example
from crossfade.shadow.fields import Field, FieldTree
from crossfade.shadow.latency import LatencyPairs, LatencyRatio
from crossfade.shadow.masking import Masker
from crossfade.shadow.pair import Answer, Pair
from crossfade.shadow.rules import Rules
from crossfade.shadow.sampling import is_sampled
from crossfade.shadow.settings import ShadowSettings
from crossfade.shadow.structure import Found

_ORDER = {FieldVerdict.REGRESSION: 0, FieldVerdict.UNCLEAR: 1, FieldVerdict.NOISE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedField:
    """What was found of one field."""

    path: str
    counts: FieldCounts
    verdict: FieldVerdict
    e_value: float
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result: `matched` of `pairs` had no difference; `repeated` of them had a second answer of the control.

    `fields` are those that differed, the worst first. `threshold` is the e-value of a regression: fields over alpha.
    `fields_merged`: there were so many fields that some were counted with the field they hang on.
    """

    pairs: int
    matched: int
    repeated: int
    left_out: int
    fields: tuple[ComparedField, ...]
    threshold: float
    latency: LatencyRatio | None
    fields_merged: bool

    @property
    def worst(self) -> FieldVerdict | None:
        """The worst verdict of any field; None where nothing differed."""
        return min((field.verdict for field in self.fields), key=_ORDER.__getitem__, default=None)


class Tally:
    """How often one field differed, and the first examples of it."""

    __slots__ = ("both", "candidate_only", "examples", "noise_only", "single")

    def __init__(self) -> None:
        self.both = self.candidate_only = self.noise_only = self.single = 0
        self.examples: list[Example] = []

    @property
    def counts(self) -> FieldCounts:
        """The counts so far."""
        return FieldCounts(
            both=self.both, candidate_only=self.candidate_only, noise_only=self.noise_only, single=self.single
        )


class Comparer:
    """Takes pairs one by one. What it keeps grows with the fields that differ, at most 10,000, not with the pairs."""

    def __init__(self, settings: ShadowSettings, masker: Masker) -> None:
        self._settings, self._masker = settings, masker
        self._tree = FieldTree(Rules.of(settings))
        self._tallies: dict[Field, Tally] = {}
        self._latency = LatencyPairs()
        self._pairs = self._matched = self._repeated = self._left_out = 0

    def add(self, pair: Pair, line: int, *, settled: Answer | None = None) -> None:
        """Compares one pair, if its id belongs to the sample; `line` is where it stands, for examples.

        `settled` is what the control answered after all others: a field in which it differs from its first answer was
        changed by somebody meanwhile, or never is the same, and tells nothing of this pair.
        """
        if not is_sampled(str(pair["id"]), self._settings.sample_percent):
            self._left_out += 1
            return
        control, candidate, again = pair["control"], pair["candidate"], pair.get("control_again")
        moving = compare(control, settled, self._tree) if settled is not None else {}
        found = _without(moving, compare(control, candidate, self._tree))
        self._pairs += 1
        self._matched += not found
        self._latency.add(control["ms"], candidate["ms"])
        if again is not None:
            self._repeated += 1
            noise = _without(moving, compare(control, again, self._tree))
            for field in noise.keys() - found.keys():
                self._tally(field).noise_only += 1
        for field, values in found.items():
            tally = self._tally(field)
            if again is None:
                tally.single += 1
            elif field in noise:
                tally.both += 1
            else:
                tally.candidate_only += 1
            if len(tally.examples) < self._settings.examples:
                tally.examples.append(example(line, field, *values, self._masker))

    def agree(self, control: Answer, other: Answer) -> bool:
        """Whether two answers are equal by the rules. Counts nothing."""
        return not compare(control, other, self._tree)

    def result(self) -> Comparison:
        """What is known now. One look: the chance of a false regression is spent on it, not on several."""
        threshold = max(len(self._tallies), 1) / self._settings.alpha
        fields = [self._compared(field, tally, threshold) for field, tally in self._tallies.items()]
        return Comparison(
            pairs=self._pairs,
            matched=self._matched,
            repeated=self._repeated,
            left_out=self._left_out,
            fields=tuple(sorted(fields, key=lambda each: (_ORDER[each.verdict], -each.e_value, each.path))),
            threshold=threshold,
            latency=self._latency.ratio(self._settings.alpha),
            fields_merged=self._tree.is_full,
        )

    def _tally(self, field: Field) -> Tally:
        found = self._tallies.get(field)
        if found is None:
            found = self._tallies[field] = Tally()
        return found

    def _compared(self, field: Field, tally: Tally, threshold: float) -> ComparedField:
        counts, settings = tally.counts, self._settings
        log_e = log_e_regression(counts, self._repeated, self._pairs - self._repeated)
        return ComparedField(
            path=field.path,
            counts=counts,
            verdict=verdict(counts, log_e, threshold, settings.noise_alpha, settings.noise_ratio),
            e_value=e_value(log_e),
            examples=tuple(tally.examples),
        )


def _without(moving: Found, found: Found) -> Found:
    """What was found, but for the fields that move, and all that stands in these."""
    if not moving or not found:
        return found
    places = {field.parts for field in moving}
    return {
        field: values
        for field, values in found.items()
        if not any(field.parts[:length] in places for length in range(len(field.parts) + 1))
    }
