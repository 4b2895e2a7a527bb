"""What a synthesis leaves behind."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from crossfade.infra.errors import StackUnknown
from crossfade.infra.split import SplitOff


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as it was written."""

    name: str
    template: str
    """File name within the folder."""
    resources: int
    needs: tuple[str, ...]
    """Stacks that must be deployed before it."""

    @property
    def kind(self) -> str:
        """Its name without the environment's suffix: what the command line of the CDK calls it."""
        return self.template.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What a synthesis leaves behind."""

    folder: Path
    stacks: tuple[Stack, ...]
    """In an order in which they can be deployed."""
    seconds: float
    """Without the time in which the libraries were loaded."""
    split_off: tuple[SplitOff, ...] = ()
    """Resources that were left out of the templates because somebody asked for that."""

    def chosen(self, named: Collection[str]) -> tuple[Stack, ...]:
        """The named stacks, with or without suffix, and those that they need; all if none is named.

        Raises StackUnknown.
        """
        return self._with(self._named(named), lambda stack, of: stack.name in of.needs)

    def chosen_to_go(self, named: Collection[str]) -> tuple[Stack, ...]:
        """The named stacks and those that need them; all if none is named. Raises StackUnknown."""
        return self._with(self._named(named), lambda stack, of: of.name in stack.needs)

    def _named(self, named: Collection[str]) -> set[Stack]:
        known = {name: stack for stack in self.stacks for name in (stack.name, stack.kind)}
        if strange := sorted(set(named) - known.keys()):
            raise StackUnknown(tuple(strange), tuple(stack.kind for stack in self.stacks))
        return {known[name] for name in named} or set(self.stacks)

    def _with(self, begun: set[Stack], follows: Callable[[Stack, Stack], bool]) -> tuple[Stack, ...]:
        chosen = begun
        while more := {s for s in self.stacks if s not in chosen and any(follows(s, one) for one in chosen)}:
            chosen = chosen | more
        return tuple(stack for stack in self.stacks if stack in chosen)
