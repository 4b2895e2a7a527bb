from collections.abc import Callable
from pathlib import Path

import pytest

from crossfade.infra.attached import Attached
from crossfade.infra.synthesis import synthesise
from crossfade.model.file import MigrationFile
from tests.infra.templates import Templates, options, reference
from tests.waiting import wait_for


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str, MigrationFile], Templates]:
    """Synthesises a file once for all workers, and holds it to the reviewers' packs on the way."""
    base = tmp_path_factory.getbasetemp()

    def once(name: str, file: MigrationFile) -> Templates:
        place = (base if worker_id == "master" else base.parent) / name
        done = place / "done"
        try:
            place.mkdir()
        except FileExistsError:  # another worker is at it, or was
            wait_for(lambda: done.exists() or (place / "failed").exists(), seconds=500)
            assert done.exists(), f"another worker could not synthesise {name}; it says why"
        else:
            _synthesise(place, file)
        return Templates(place / "cdk.out")

    return once


@pytest.fixture(scope="session")
def built(synthesised: Callable[[str, MigrationFile], Templates]) -> Templates:
    """The reference case."""
    return synthesised("reference", reference())


@pytest.fixture(scope="session")
def otherwise(synthesised: Callable[[str, MigrationFile], Templates]) -> Templates:
    """The reference case with every option that it leaves out."""
    return synthesised("otherwise", options())


@pytest.fixture(params=["built", "otherwise"])
def either(request: pytest.FixtureRequest) -> Templates:
    """Both, one after the other."""
    templates: Templates = request.getfixturevalue(request.param)
    return templates


def _synthesise(place: Path, file: MigrationFile) -> None:
    try:
        synthesise(file, place / "cdk.out", review=True, attached=Attached())
    except BaseException:
        (place / "failed").touch()
        raise
    (place / "done").touch()
