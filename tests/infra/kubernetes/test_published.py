from crossfade.infra.kubernetes.demands import demands
from tests.infra.kubernetes.files import EXAMPLE
from tests.infra.kubernetes.published import MANIFESTS, of_the_example
from tests.model.file.files import sound

REGENERATE = "run: python -m tests.infra.kubernetes.published"


def test_the_examples_manifests_are_current_when_something_changes() -> None:
    written = {path: path.read_text(encoding="utf-8") for path in MANIFESTS.iterdir()}
    assert written == of_the_example(), REGENERATE


def test_the_example_lacks_nothing() -> None:
    assert demands(sound(EXAMPLE.read_text(encoding="utf-8"))) == ()
