from crossfade.model import ends, events
from crossfade.model.terms import Outcome, Phase
from crossfade.notify.notices import notices
from crossfade.notify.port import Topic
from tests.report import sample


def test_phases_approval_and_completion_are_noticed_when_all_goes_well() -> None:
    given = list(notices(sample.completed()))
    titles = [notice.title for notice in given]
    assert titles == [
        *(f"ledger: phase {phase}" for phase in list(Phase)[:6]),
        "ledger: waits for approval",
        "ledger: phase bake",
        "ledger: phase finalize",
        "ledger: completed",
    ]
    assert given[-1].topic is Topic.COMPLETION
    assert {notice.topic for notice in given[:-1]} == {Topic.PHASE}


def test_abort_and_roll_back_are_noticed_as_errors_when_the_canary_is_slow() -> None:
    given = list(notices(sample.rolled_back()))
    assert [(n.topic, n.title) for n in given[-3:]] == [
        (Topic.ERROR, "ledger: the canary is aborted"),
        (Topic.ERROR, "ledger: rolls back"),
        (Topic.COMPLETION, "ledger: rolled back"),
    ]
    assert "1.24 times" in given[-2].text


def test_failures_are_noticed_only_when_nothing_will_be_tried_again() -> None:
    def missed(retryable: bool) -> events.EndMissed:
        return events.EndMissed(end=ends.WayBackEnded(), reason="no", remedy="look", retryable=retryable)

    halted = events.MigrationEnded(outcome=Outcome.HALTED, reason="no way on")
    back = events.FailBackDecided(cause="person", reason="asked")
    script: list[tuple[float, str, events.Event]] = [
        (0.0, "engine", events.MigrationPlanned(plan=sample.PLAN)),
        (1.0, "engine", missed(True)),
        (2.0, "engine", missed(False)),
        (3.0, "engine", back),
        (4.0, "engine", halted),
    ]
    given = list(notices(sample.entries(script)))
    assert [notice.position for notice in given] == [3, 4, 5]
    assert {notice.topic for notice in given} == {Topic.ERROR}


def test_notice_is_the_same_when_the_journal_is_read_again() -> None:
    assert list(notices(sample.completed())) == list(notices(sample.completed()))
