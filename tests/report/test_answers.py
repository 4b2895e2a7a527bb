"""What the report says of the shadow phase: numbers of the last look, names of fields, and nothing without a shadow."""

import pytest

from crossfade.journal.port import Entry
from crossfade.model import events
from crossfade.model.comparing import Agreement, FieldFinding, FieldJudged, ShadowReading
from crossfade.report.answers import ComparedAnswers, compared_answers
from crossfade.runbook.phases import Gate
from tests.report import sample
from tests.report.test_page import page, read

WRONG = sample.compared(58, Agreement.REGRESSION, "of 1,210 pairs the modern servers' differ: body.balance in 12")
UNCLEAR = sample.compared(54, Agreement.UNCLEAR, "of 700 pairs it is not clear yet why some differ", boot="0")


def found(story: tuple[Entry, ...]) -> ComparedAnswers:
    answers = compared_answers(story)
    assert answers is not None
    return answers


def waits(reason: str) -> tuple[float, str, events.Event]:
    return 50, "engine", events.GateWaits(gate=Gate.ANSWERS_AGREE, cause="pairs", reason=reason)


def overridden() -> tuple[float, str, events.Event]:
    return 59, "engine", events.GatePassed(gate=Gate.ANSWERS_AGREE, facts={"override": True})


def test_the_page_says_nothing_of_answers_when_the_plan_mirrors_nothing() -> None:
    html = page(sample.completed())
    assert 'id="answers"' not in html
    assert "Answers compared" not in html
    assert "#answers" not in html


def test_each_number_of_the_last_look_stands_on_the_page_when_answers_were_compared() -> None:
    reader = read(page(sample.shadowed(UNCLEAR, WRONG)))
    texts = " ".join(" ".join(reader.texts).split())
    assert "answers" in reader.ids
    assert "The answers differ: of 1,210 pairs the modern servers' differ: body.balance in 12." in texts
    for label, value, note in (
        ("Pairs compared", "1,210", "the legacy side was asked twice in 604"),
        ("Matched", "1,093", "pairs without any difference"),
        ("Latency ratio", "1.03", "times as long as the legacy side takes (0.972 to 1.09)"),
        ("Unanswered", "3", "calls that the modern side alone"),
        ("Refused writes", "5", "4 by the guard, 1 by the database"),
        ("Not compared", "3", "2 read from different databases, 1 unanswered by the legacy side"),
    ):
        assert f"{label} {value} {note}" in texts
    assert "body.balance regression 131 12 (0.99 %) 0 (0 %)" in texts
    assert "headers.x-served-by noise 0.081 105 (8.7 %) 53 (8.8 %)" in texts
    assert "An e-value of 120 makes a regression" in texts
    assert "counted since the collector last began anew" in texts


def test_the_newest_look_speaks_and_no_earlier_one_when_there_were_several() -> None:
    agreed = sample.compared(58, Agreement.AGREES, "1,210 of 1,210 pairs of answers match", fields=())
    answers = found(sample.shadowed(UNCLEAR, agreed))
    assert (answers.sentence, answers.mood) == ("The answers agree: 1,210 of 1,210 pairs of answers match.", "good")
    assert (answers.fields, answers.threshold) == ((), "")


def test_the_reason_stands_there_when_no_look_was_taken() -> None:
    assert found(sample.shadowed()).sentence == "No answers were compared."
    waited = found(sample.shadowed(waits("12 of 400 pairs are compared")))
    assert waited.sentence == "No look at the answers was taken: 12 of 400 pairs are compared."
    assert waited.tiles == ()


def test_an_override_is_named_when_it_let_unclear_answers_pass() -> None:
    assert found(sample.shadowed(UNCLEAR, overridden())).sentence.endswith("A person's override let it go on.")
    assert "override" not in found(sample.shadowed(UNCLEAR)).sentence


def test_what_could_not_be_measured_is_not_told_as_zero_when_no_pair_was_compared() -> None:
    nothing = ShadowReading(boot="1", unanswered=40)
    field = FieldJudged(path="status", differ=0, noise=0, finding=FieldFinding.UNCLEAR, e_value=1.0)
    look = sample.compared(58, Agreement.UNCLEAR, "silent", reading=nothing, fields=(field,))
    answers = found(sample.shadowed(look))
    assert next(tile.value for tile in answers.tiles if tile.label == "Latency ratio") == "not measured"
    assert (answers.fields[0].differ, answers.fields[0].noise) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("finding", "e_value", "said"),
    [
        (FieldFinding.TOLERATED, 3.21, ("3.21", "too seldom to count")),
        (FieldFinding.UNCLEAR, 1.0, ("1", "unclear")),
        (FieldFinding.REGRESSION, 4e90, ("over 1,000,000", "regression")),
    ],
)
def test_a_finding_is_told_in_words_and_short_numbers(
    finding: FieldFinding, e_value: float, said: tuple[str, str]
) -> None:
    field = FieldJudged(path="body", differ=2, noise=1, finding=finding, e_value=e_value)
    (told,) = found(sample.shadowed(sample.compared(58, Agreement.UNCLEAR, "so", fields=(field,)))).fields
    assert (told.e_value, told.finding) == said


def test_a_hostile_name_of_a_field_stays_text_when_it_is_told() -> None:
    evil = "<script>alert(1)</script>"
    field = FieldJudged(path=evil, differ=2, noise=1, finding=FieldFinding.UNCLEAR, e_value=1.0)
    html = page(sample.shadowed(sample.compared(58, Agreement.UNCLEAR, evil, fields=(field,))))
    assert "<script" not in html
    assert read(html).texts.count(evil) == 1


def test_the_plan_tells_the_limits_of_the_comparison_when_it_has_one() -> None:
    texts = " ".join(read(page(sample.shadowed(WRONG))).texts)
    said = "100 % of reads; answers are compared for 0 s and 400 pairs at least, the legacy side asked twice in 50 %"
    assert f"{said}; at most 0.1 % may differ beyond noise" in texts
