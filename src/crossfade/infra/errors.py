"""What can go wrong between a migration file and its templates."""

from pathlib import Path

from crossfade.model.errors import CrossfadeError


class ExtraMissing(CrossfadeError):
    """The CDK libraries are not installed; the rehearsal does without them."""

    remedy = "Install them: pip install 'crossfade[aws]', or make setup in a checkout."

    def __init__(self, module: str) -> None:
        self.module = module
        super().__init__(f"the AWS side needs the optional extra `aws`: {module} is not installed")


class NodeMissing(CrossfadeError):
    """The CDK libraries run on Node."""

    remedy = "Install Node 20 or newer, so that `node --version` answers."

    def __init__(self) -> None:
        super().__init__("the AWS side needs Node, and there is no program `node`")


class OutputOccupied(CrossfadeError):
    """The folder for the templates holds something else."""

    remedy = "Name a new folder with --out, or one that an earlier synth has written."

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} is no folder of templates, and nothing in it is overwritten")


class ReviewFailed(CrossfadeError):
    """A review pack found what nobody has acknowledged."""

    remedy = "Change the resource, or acknowledge the finding beside it with its reason."

    def __init__(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        super().__init__("the review found what nobody has acknowledged:\n" + "\n".join(f"  {f}" for f in findings))


class StackUnknown(CrossfadeError):
    """A stack was named that the file does not lead to."""

    def __init__(self, names: tuple[str, ...], known: tuple[str, ...]) -> None:
        self.names, self.known = names, known
        self.remedy = f"Name some of these: {', '.join(known)}."
        super().__init__(f"the file leads to no stack {' or '.join(names)}")


class TypeNotThere(CrossfadeError):
    """Resources of a type were to be split off, and there is none."""

    remedy = (
        "Write types as CloudFormation does, such as AWS::Events::Archive or AWS::DMS::*, and leave out the others."
    )

    def __init__(self, types: tuple[str, ...]) -> None:
        self.types = types
        super().__init__(f"no resource is of the type {' or '.join(types)}, so none can be split off")


class SynthesisFailed(CrossfadeError):
    """CDK refused what the stacks ask for."""

    remedy = "This is a fault of Crossfade, not of the file, unless the message names a value of yours: report it."

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"the templates cannot be made: {problem}")
