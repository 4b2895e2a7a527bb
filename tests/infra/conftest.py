from pathlib import Path

import pytest

from crossfade.infra.synthesis import synthesise
from tests.infra.templates import Templates, reference


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The reference case, synthesised once, and held to the reviewers' packs on the way."""
    folder: Path = tmp_path_factory.mktemp("reference") / "cdk.out"
    synthesise(reference(), folder, review=True)
    return Templates(folder)
