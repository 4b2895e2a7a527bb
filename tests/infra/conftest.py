from pathlib import Path

import pytest

from crossfade.infra.synthesis import synthesise
from tests.infra.templates import Templates, reference
from tests.waiting import wait_for


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Templates:
    """The reference case, synthesised once for all workers, and held to the reviewers' packs on the way."""
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "reference"
    done = place / "done"
    try:
        place.mkdir()
    except FileExistsError:  # another worker is at it, or was
        wait_for(lambda: done.exists() or (place / "failed").exists(), seconds=240)
        assert done.exists(), "another worker could not synthesise the reference case; it says why"
    else:
        _synthesise(place)
    return Templates(place / "cdk.out")


def _synthesise(place: Path) -> None:
    try:
        synthesise(reference(), place / "cdk.out", review=True)
    except BaseException:
        (place / "failed").touch()
        raise
    (place / "done").touch()
