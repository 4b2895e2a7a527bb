"""Which of Argo's two strategies is written, and what it calls the two sides."""

from typing import NamedTuple

from crossfade.infra.kubernetes.names import application
from crossfade.model.file import MigrationFile
from crossfade.model.file.kubernetes import StepJudge
from crossfade.model.file.traffic import Strategy


class Sides(NamedTuple):
    """Services: of the pods that users have, and of those they shall get."""

    old: str
    new: str


def by_weight(file: MigrationFile) -> bool:
    """Whether requests are split by weights: Argo's strategy `canary`.

    Its blue-green has no weights, and once promoted it cannot be aborted. So where Crossfade judges, blue-green is
    the ladder of 0 and 100, from which everybody can be taken back. Source: docs/adr/0018.
    """
    return file.traffic.strategy is Strategy.CANARY or file.kubernetes.judged_by is StepJudge.CROSSFADE


def sides(file: MigrationFile) -> Sides:
    name = application(file)
    if by_weight(file):
        return Sides(old=f"{name}-stable", new=f"{name}-canary")
    return Sides(old=f"{name}-active", new=f"{name}-preview")
