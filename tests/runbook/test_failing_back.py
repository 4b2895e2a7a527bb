from crossfade.model import ends
from crossfade.model.terms import Side
from crossfade.runbook.phases import Await, Gate, Reach, steps_failing_back


def test_files_are_home_before_anything_asks_for_replication_when_the_source_has_been_opened() -> None:
    """A slot that was lost as the source opened ends it there: documents that were not home yet would stay away."""
    steps = steps_failing_back(1)
    opened = steps.index(Reach(end=ends.WriterIs(side=Side.SOURCE, epoch=2)))
    home = steps.index(Await(gate=Gate.FILES_IN_STEP))
    awake = steps.index(Reach(end=ends.WayBackAwake(primary=Side.SOURCE, epoch=2)))
    assert opened < home < awake
