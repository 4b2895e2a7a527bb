"""What is written from examples/kubernetes, kept beside it.

`python -m tests.infra.kubernetes.published` writes it anew.
"""

from pathlib import Path

from crossfade.infra.kubernetes.manifests import manifests
from crossfade.infra.premises.folder import write
from tests.infra.kubernetes.files import EXAMPLE
from tests.model.file.files import sound

MANIFESTS = EXAMPLE.parent / "manifests"


def of_the_example() -> dict[Path, str]:
    return {MANIFESTS / one.path: one.text for one in manifests(sound(EXAMPLE.read_text(encoding="utf-8")))}


if __name__ == "__main__":
    write(MANIFESTS, manifests(sound(EXAMPLE.read_text(encoding="utf-8"))), replacing=True)
