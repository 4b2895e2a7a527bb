"""The risks of a plan: with a migration file the whole register, without one what the inventory itself shows."""

from dataclasses import replace

from crossfade.model.file.tree import Tree
from crossfade.planning.plan.assumed_file import NAME
from crossfade.planning.plan.wishes import Told
from crossfade.planning.risks.assembly import assemble
from crossfade.planning.risks.knowledge import Seen
from crossfade.planning.risks.register import Origin, Register, Risk
from crossfade.planning.risks.told import RegisterFile

_NOBODY = "nobody is named yet"


def register_of(seen: Seen, tree: Tree, told: Told, said: RegisterFile) -> Register:
    """Without a migration file, what only its defaults show is no finding: it is left out, and a note says so."""
    if told.name:
        return assemble(seen, tree, told.name, said)
    whole = assemble(seen, tree, NAME, said)
    note = "No migration file was given: risks that only such a file shows are missing, and its defaults are triggers."
    return replace(
        whole,
        migration="data center",
        risks=tuple(risk for each in whole.risks if (risk := _shown(each)) is not None),
        notes=(note, *whole.notes),
    )


def _shown(risk: Risk) -> Risk | None:
    if risk.origin is not Origin.FOUND:
        return replace(risk, owner=_NOBODY)
    evidence = tuple(each for each in risk.evidence if not each.place.startswith((f"{NAME}:", f"{NAME} ")))
    return replace(risk, owner=_NOBODY, evidence=evidence) if evidence else None
