"""What was decided already, held against what the matrix says today: what is decided is not proposed again."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from crossfade.planning.decisions.drafting import Circumstances, draft
from crossfade.planning.decisions.matrix import Matrix, leaders
from crossfade.planning.decisions.record import Record, Status

_BOLD = re.compile(r"\*\*(?P<name>[^*\n]+)\*\*")
DECISION = "Decision"


def chosen(record: Record, matrix: Matrix) -> str | None:
    """The option that a record decides for: the first in bold type below its heading `Decision`, as a draft has it."""
    options = {option.name for option in matrix.options}
    named = (found["name"].strip() for found in _BOLD.finditer(record.section(DECISION)))
    return next((name for name in named if name in options), None)


def proposal(matrix: Matrix, records: Sequence[Record], number: int, on: date, around: Circumstances) -> Record | None:
    """The record to propose today, numbered so; None: people have said what there is to say.

    The first, where there is none. Later, one that would supersede the newest that is accepted, when another option
    leads by now, and no record since has looked at that option.
    """
    if not records:
        return draft(matrix, number, on, around)
    by_number = sorted(records, key=lambda record: record.number)
    accepted = [record for record in by_number if record.status is Status.ACCEPTED and chosen(record, matrix)]
    if not accepted:
        return None
    newest, first = accepted[-1], set(leaders(matrix))
    since = [record for record in by_number if record.number > newest.number]
    if chosen(newest, matrix) in first or any(chosen(record, matrix) in first for record in since):
        return None
    lead = f"{' and '.join(leaders(matrix))} {'leads' if len(first) == 1 else 'lead'}"
    says = (
        f"Record {newest.number} decided for {chosen(newest, matrix)}; by today's weights and scores {lead}."
        f" Whoever accepts this lets it supersede record {newest.number} (`crossfade records supersede`)."
    )
    context = f"{around.context} {says}" if around.context else says
    return draft(matrix, number, on, replace(around, context=context))
