"""What there is to compare, and what cannot be."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from crossfade.model.terms import Side
from crossfade.verify import catalog, sequences
from crossfade.verify.errors import EncodingsDiffer, RulesUnfit, TableMissing
from crossfade.verify.relation import Relation, TablePair, pair
from crossfade.verify.rules import NO_RULE, TableRule
from crossfade.verify.session import Session
from crossfade.verify.settings import VerifySettings

Name = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Tables of both sides, what of them cannot be compared, and their sequences."""

    tables: tuple[TablePair, ...]
    problems: tuple[str, ...]
    sequences: Mapping[Side, dict[str, catalog.Sequence]]

    @classmethod
    def read(cls, settings: VerifySettings, source: Session, target: Session) -> "Scope":
        """Raises `EncodingsDiffer`, `TableMissing`, `RulesUnfit` and what sessions raise."""
        encodings = catalog.read_encoding(source), catalog.read_encoding(target)
        if encodings[0] != encodings[1]:
            raise EncodingsDiffer(*encodings)
        here = catalog.read_relations(source, settings.schemas)
        there = _as_on_source(catalog.read_relations(target, settings.schemas), settings.rules)
        _refuse_unfit(settings.rules, here, there)
        wanted = _chosen(settings, here.keys() | there.keys())
        tables = tuple(
            pair(here[name], there[name], settings.rules.get(".".join(name), NO_RULE))
            for name in wanted
            if name in here and name in there
        )
        problems = [f"{'.'.join(name)}: missing on the target" for name in wanted if name not in there]
        problems += [f"{'.'.join(name)}: stands only on the target" for name in wanted if name not in here]
        problems += [problem for table in tables for problem in table.problems]
        found = {s.side: catalog.read_sequences(s, settings.schemas) for s in (source, target)}
        if settings.tables or settings.exclude:
            found = {
                side: sequences.owned_by({table.on(side).title for table in tables}, of_side)
                for side, of_side in found.items()
            }
        return cls(tables=tables, problems=tuple(problems), sequences=found)

    def altered(self, later: "Scope") -> tuple[str, ...]:
        """What `later` has otherwise: tables were compared as they were at the beginning."""
        was, now = ({table.title: _shapes(table) for table in scope.tables} for scope in (self, later))
        came = [f"{title}: came while others were compared; verify again" for title in now if title not in was]
        return (
            *came,
            *(
                f"{title}: its columns or its key were changed while it was compared; verify again"
                for title, shapes in was.items()
                if now.get(title) != shapes
            ),
        )

    def fingerprint(self, *about: str) -> str:
        """The same for the same tables, columns, keys, types and rules, compared in the way that `about` tells."""
        tables = [_shapes(table) for table in self.tables]
        text = json.dumps([tables, about], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _shapes(table: TablePair) -> dict[str, object]:
    return {**asdict(table), "source": _shape(table.source), "target": _shape(table.target)}


def _shape(relation: Relation) -> dict[str, object]:
    shape = asdict(relation)
    del shape["estimated_rows"]  # changes with every write
    return shape


def _as_on_source(there: dict[Name, Relation], rules: Mapping[str, TableRule]) -> dict[Name, Relation]:
    """The target's tables by the name that they have on the source."""
    here = {rule.target: title for title, rule in rules.items() if rule.target}
    hidden = {title for title, rule in rules.items() if rule.target} - here.keys()  # another table has its name
    return {
        _name(here.get(relation.title, relation.title)): relation
        for relation in there.values()
        if relation.title not in hidden
    }


def _name(title: str) -> Name:
    schema, _, table = title.partition(".")
    return schema, table


def _refuse_unfit(rules: Mapping[str, TableRule], here: dict[Name, Relation], there: dict[Name, Relation]) -> None:
    faults = []
    for title, rule in rules.items():
        sides = {Side.SOURCE: here.get(_name(title)), Side.TARGET: there.get(_name(title))}
        named = {
            Side.SOURCE: (*rule.columns, *rule.ignore),
            Side.TARGET: (*rule.columns.values(), *rule.ignore_on_target),
        }
        for side, relation in sides.items():
            if relation is None:
                stands = rule.target or title if side is Side.TARGET else title
                faults.append(f"no table {stands} on the {side}")
                continue
            columns = {column.name for column in relation.columns}
            faults += [
                f"{relation.title} has no column {name} on the {side}" for name in named[side] if name not in columns
            ]
    if faults:
        raise RulesUnfit(tuple(faults))


def _chosen(settings: VerifySettings, standing: set[Name]) -> list[Name]:
    """The tables that were asked for, by `schema.table` or by `table` in any schema; all when none was."""
    matches = {
        text: {name for name in standing if text in {".".join(name), name[1]}}
        for text in (*settings.tables, *settings.exclude)
    }
    nowhere = tuple(text for text, names in matches.items() if not names)
    if nowhere:
        raise TableMissing(nowhere)
    wanted = set[Name]().union(*(matches[text] for text in settings.tables)) if settings.tables else standing
    return sorted(wanted - set[Name]().union(*(matches[text] for text in settings.exclude)))
