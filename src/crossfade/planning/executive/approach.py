"""How the system moves: from the decision matrix, and from the records of decisions where there are any."""

from collections.abc import Iterator

from crossfade.planning.decisions.approaches import matrix_of
from crossfade.planning.decisions.drafting import said, turned
from crossfade.planning.decisions.matrix import Matrix, leaders, ranking
from crossfade.planning.decisions.record import Record, Status
from crossfade.planning.executive.brief import Approach
from crossfade.planning.executive.traced import Figure, Sources, Traces


def approach_of(sources: Sources, records: tuple[Record, ...], traces: Traces) -> Approach:
    """What was decided, or what the matrix says as long as nobody has."""
    matrix = matrix_of(sources.file.planning.decision)
    criteria = sources.file.planning.success_criteria
    if not isinstance(matrix, Matrix):
        faults = "; ".join(finding.problem for finding in matrix)
        sentence = f"Not decided: planning.decision cannot be weighed, for it {faults}."
        return Approach(sentence=sentence, options=(), turns=(), records=records, criteria=criteria)
    return Approach(
        sentence=_sentence(matrix, records),
        options=tuple(_options(matrix, sources, traces)),
        turns=tuple(line.removeprefix("- ") for line in turned(matrix)),
        records=records,
        criteria=criteria,
    )


def _sentence(matrix: Matrix, records: tuple[Record, ...]) -> str:
    first = leaders(matrix)
    accepted = [record for record in records if record.status is Status.ACCEPTED]
    weighed = f"{' and '.join(first)} {'leads' if len(first) == 1 else 'share the first place'} by the weights given"
    if accepted:
        numbers = ", ".join(f"{record.number}. {record.title}" for record in accepted)
        return f"Decided by {numbers}; {weighed}."
    return f"Proposed, and decided by nobody yet: {weighed}."


def _options(matrix: Matrix, sources: Sources, traces: Traces) -> Iterator[tuple[str, Figure]]:
    own = bool(sources.file.planning.decision.options)
    places = [sources.near("planning.decision")] if own else ["scores and weights that Crossfade brings along"]
    for standing in ranking(matrix):
        option = matrix.option(standing.option)
        terms = (
            f"{factor.name} {said(factor.weight)} x {said(option.scores[factor.name].value)}"
            for factor in matrix.factors
        )
        computed = f"({' + '.join(terms)}) / {said(matrix.total_weight)}"
        key = f"option-{standing.place}-{standing.option}"
        says = f"score of {standing.option}, 0 to 10"
        yield standing.option, traces.add(key, says, said(standing.score), computed, places)
