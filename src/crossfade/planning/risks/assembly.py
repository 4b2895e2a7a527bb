"""The register from all that is known: rules, the migration file's own risks, and what people say of them."""

from collections.abc import Iterator
from dataclasses import replace

from crossfade.model.file import MigrationFile
from crossfade.model.file.planning import Risk as FileRisk
from crossfade.model.file.tree import Tree
from crossfade.planning.risks.keys import place_of, value_at
from crossfade.planning.risks.knowledge import Clue, Known, Seen
from crossfade.planning.risks.rating import Probability, Rating
from crossfade.planning.risks.register import (
    Evidence,
    Mitigation,
    NoLongerFound,
    Origin,
    Register,
    Risk,
    Trigger,
    Word,
)
from crossfade.planning.risks.rules import ALL, schedule
from crossfade.planning.risks.told import Added, Closed, Overridden, RegisterFile, ToldRating, told_ids

_NOTHING_SAID = RegisterFile(version=1)


def assemble(seen: Seen, tree: Tree, name: str, register: RegisterFile = _NOTHING_SAID) -> Register:
    """The whole register. `tree` and `name` are the migration file's, for the lines of evidence.

    Whatever people said is in it: what they closed or overrode and nothing shows any more is listed as that.
    """
    file = seen.file
    risks = [*_known(seen, tree, name), *_of_file(file, tree, name), *(_added(one, file) for one in register.add)]
    by_id = {risk.id: risk for risk in risks}
    missing = []
    for override in register.override:
        if override.id in by_id:
            by_id[override.id] = _overridden(by_id[override.id], override)
        elif not _is_not_looked_at(override.id, seen):
            missing.append(NoLongerFound(id=override.id, what="overridden", word=_word(override)))
    for closed in register.close:
        if closed.id in by_id:
            by_id[closed.id] = replace(by_id[closed.id], closed=_word(closed))
        elif not _is_not_looked_at(closed.id, seen):
            missing.append(NoLongerFound(id=closed.id, what="closed", word=_word(closed)))
    return Register(
        migration=file.migration.name,
        on=seen.on,
        risks=tuple(sorted(by_id.values(), key=lambda risk: (risk.closed is not None, *risk.weight))),
        no_longer_found=tuple(missing),
        notes=tuple(_notes(seen)),
    )


def _is_not_looked_at(own: str, seen: Seen) -> bool:
    """Without a schedule, what only a schedule shows has not gone: nobody looked."""
    return seen.schedule is None and own in {known.id for known in schedule.RISKS}


def _known(seen: Seen, tree: Tree, name: str) -> Iterator[Risk]:
    for known in ALL:
        shown = known.look(seen)
        probability = shown.probability if shown else known.common
        if probability is not None:
            clues = shown.clues if shown else ()
            evidence = tuple(_evidence(clue, tree, name) for clue in clues)
            yield _risk(known, Rating(impact=known.impact, probability=probability), evidence, seen.file)


def _risk(known: Known, rating: Rating, evidence: tuple[Evidence, ...], file: MigrationFile) -> Risk:
    held = [(countered, countered.holds(file)) for countered in known.countered]
    return Risk(
        id=known.id,
        title=known.title,
        category=known.category,
        rating=rating,
        residual=rating.lowered(
            impact=sum(countered.impact for countered, holds in held if holds),
            probability=sum(countered.probability for countered, holds in held if holds),
        ),
        owner=file.migration.owner,
        owner_assumed=True,
        origin=Origin.FOUND if evidence else Origin.COMMON,
        evidence=evidence,
        mitigations=tuple(
            Mitigation(says=countered.says, path=countered.path, in_plan=holds) for countered, holds in held
        ),
        contingencies=known.contingencies,
        triggers=tuple(Trigger(says=says, path=path, value=value_at(file, path)) for says, path in known.limits),
    )


def _evidence(clue: Clue, tree: Tree, name: str) -> Evidence:
    rows = ", ".join(dict.fromkeys(str(one) for one in clue.places))
    place = place_of(tree, name, clue.path) if clue.path else clue.where or rows
    return Evidence(says=clue.says, place=place or "the inventory")


def _of_file(file: MigrationFile, tree: Tree, name: str) -> Iterator[Risk]:
    for i, (own, told) in enumerate(zip(told_ids(file), file.planning.risks, strict=True)):
        yield _told(told, own, place_of(tree, name, f"planning.risks[{i}]"))


def _told(told: FileRisk, own: str, place: str) -> Risk:
    rating = _rating(told.impact, told.probability)
    return Risk(
        id=own,
        title=told.title,
        category=told.category,
        rating=rating,
        residual=rating,
        owner=told.owner,
        origin=Origin.TOLD,
        evidence=(Evidence(says="told in the migration file", place=place),),
        mitigations=(Mitigation(says=told.mitigation),) if told.mitigation else (),
        contingencies=(told.contingency,) if told.contingency else (),
    )


def _added(added: Added, file: MigrationFile) -> Risk:
    rating = _rating(added.impact, added.probability)
    return Risk(
        id=added.id,
        title=added.title,
        category=added.category,
        rating=rating,
        residual=_told_rating(added.residual) or rating,
        owner=added.owner,
        origin=Origin.TOLD,
        mitigations=tuple(Mitigation(says=says) for says in added.mitigations),
        contingencies=added.contingencies,
        triggers=tuple(
            Trigger(says=one.says, path=one.limit, value=value_at(file, one.limit)) for one in added.triggers
        ),
    )


def _overridden(risk: Risk, told: Overridden) -> Risk:
    """A rating by people lowers what is left by as many steps as the plan did before, unless they say that too."""
    impact = told.impact or risk.rating.impact
    probability = _probability(told.probability) if told.probability else risk.rating.probability
    rating = Rating(impact=impact, probability=probability)
    steps = list(Probability)
    lowered = rating.lowered(
        impact=risk.rating.impact - risk.residual.impact,
        probability=steps.index(risk.rating.probability) - steps.index(risk.residual.probability),
    )
    return replace(
        risk,
        rating=rating,
        residual=_told_rating(told.residual) or lowered,
        owner=told.owner or risk.owner,
        owner_assumed=risk.owner_assumed and told.owner is None,
        overridden=_word(told),
    )


def _rating(impact: int, probability: float) -> Rating:
    return Rating(impact=impact, probability=_probability(probability))


def _told_rating(told: ToldRating | None) -> Rating | None:
    return _rating(told.impact, told.probability) if told else None


def _probability(told: float) -> Probability:
    return Probability(round(told * 10))


def _word(told: Closed | Overridden) -> Word:
    return Word(by=told.by, on=told.on, because=told.because)


def _notes(seen: Seen) -> Iterator[str]:
    if seen.inventory is None:
        yield "No inventory was read: what only an inventory shows is missing."
    if seen.schedule is None:
        yield "No schedule was made: what only a schedule shows is missing, and `crossfade plan` makes one."
    yield "Tables, their keys and their large objects are seen by the preflight of a migration, not here."
    yield "Owners that nobody named are the migration's owner."
