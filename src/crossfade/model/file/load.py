"""A migration file's text, read and judged: the file, or every fault of it at once."""

from crossfade.model.file import rules
from crossfade.model.file.document import MigrationFile
from crossfade.model.file.explain import explain, path_in_file
from crossfade.model.file.fault import Fault
from crossfade.model.file.mend import Mended, mend
from crossfade.model.file.tree import read_tree
from crossfade.model.file.validate import validate


def load(text: str, name: str) -> MigrationFile | tuple[Fault, ...]:
    """The file that `text` describes, or all its faults, ordered by place. Raises nothing for any text.

    `name` is what people call the file; it appears only in faults of the file as a whole.
    """
    tree = read_tree(text, name)
    if tree.unreadable:
        return tuple(tree.faults)
    file, errors = validate(tree.data)
    for error in errors:
        path = path_in_file(error["loc"])
        if path not in tree.broken:
            tree.add(path, *explain(error, path, tree))
    mended = mend(tree.data, errors) if file is None else Mended(file=file)
    mended.broken |= tree.broken
    # A finding counts only when all that its rule looked at was really said by the file.
    for finding in rules.findings(mended.file) if mended.file else ():
        places = [mended.own_path(place) for place in finding.places]
        if all(mended.trusts(place) for place in places):
            written = next((place for place in places if place in tree.places), places[0])
            tree.add(written, finding.problem, finding.remedy)
    return tuple(sorted(tree.faults)) if tree.faults or file is None else file
