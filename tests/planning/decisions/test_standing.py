"""What people decided is not proposed again, until another option leads."""

from dataclasses import replace
from datetime import date

import pytest

from crossfade.model.file.planning import Decision
from crossfade.planning.decisions.approaches import matrix_of
from crossfade.planning.decisions.drafting import Circumstances, draft
from crossfade.planning.decisions.matrix import Matrix, leaders
from crossfade.planning.decisions.record import Record, Section, Status
from crossfade.planning.decisions.standing import chosen, proposal

ON = date(2026, 11, 23)
NOTHING = Circumstances()


def weighed(**weights: float) -> Matrix:
    matrix = matrix_of(Decision(weights={name.replace("_", "-"): weight for name, weight in weights.items()}))
    assert isinstance(matrix, Matrix)
    return matrix


SLOWLY, AT_ONCE = weighed(way_back=5, time=1), weighed(way_back=1, time=9)
assert (leaders(SLOWLY), leaders(AT_ONCE)) == (("incremental",), ("lift-and-shift",))


def record(number: int, status: Status, matrix: Matrix = SLOWLY) -> Record:
    return replace(draft(matrix, number, ON, NOTHING), status=status)


def test_the_first_record_is_proposed_where_there_is_none() -> None:
    assert proposal(SLOWLY, (), 1, ON, NOTHING) == draft(SLOWLY, 1, ON, NOTHING)


@pytest.mark.parametrize("status", Status)
def test_no_record_is_proposed_while_what_people_wrote_still_leads(status: Status) -> None:
    assert proposal(SLOWLY, (record(1, status),), 2, ON, NOTHING) is None


def test_a_record_that_would_supersede_is_proposed_when_another_option_leads_by_now() -> None:
    around = Circumstances(context="The shop moves.")
    proposed = proposal(AT_ONCE, (record(1, Status.ACCEPTED),), 2, ON, around)
    assert proposed is not None
    assert (proposed.number, proposed.status, chosen(proposed, AT_ONCE)) == (2, Status.PROPOSED, "lift-and-shift")
    assert proposed.section("Context").startswith("The shop moves. Record 1 decided for incremental; ")


@pytest.mark.parametrize("status", Status)
def test_an_option_that_people_have_looked_at_since_is_not_proposed_again(status: Status) -> None:
    since = (record(1, Status.ACCEPTED), record(2, status, AT_ONCE))
    assert proposal(AT_ONCE, since, 3, ON, NOTHING) is None


def test_only_what_is_accepted_can_be_overtaken_and_only_where_it_names_an_option() -> None:
    assert proposal(AT_ONCE, (record(1, Status.PROPOSED),), 2, ON, NOTHING) is None
    words = replace(record(1, Status.ACCEPTED), sections=(Section(heading="Decision", body="\n**We wait.**\n"),))
    assert chosen(words, AT_ONCE) is None
    assert proposal(AT_ONCE, (words,), 2, ON, NOTHING) is None


def test_what_a_record_chose_is_the_first_option_in_bold_of_its_decision() -> None:
    body = "\nWe take **care**, then **rewrite**, not **incremental**.\n"
    told = replace(record(1, Status.ACCEPTED), sections=(Section(heading="Decision", body=body),))
    assert chosen(told, SLOWLY) == "rewrite"
