"""The engine is gone for good: what a person does instead, in order. The fence comes before the opening, always."""

from crossfade.model import ends
from crossfade.model.terms import Side, Suite
from crossfade.planning.playbooks import database, router, statements, surroundings
from crossfade.planning.playbooks.records import Card, Command, Procedure
from crossfade.planning.playbooks.site import Site


def procedures(site: Site) -> tuple[Procedure, ...]:
    """First to look, then one for each thing that may be found."""
    return (_look(), _source_writes(site), _target_writes(site), _both_write(site))


def _look() -> Procedure:
    return Procedure(
        key="gone-look",
        title="Find out who takes writes",
        when="First of all. Nothing here changes what stands, but that whoever is within a switch is ended.",
        steps=(
            Command(
                says="The engine is really gone: nobody answers for it, and `crossfade resume` cannot bring it back",
                text='crossfade status "$MIGRATION"',
                prints="…, writer …, epoch …, can return …",
            ),
            *(statements.end_late_switches(side) for side in Side),
            *(
                statements.writer(side, f"The {side}'s own word: does it take writes (t or f), and under which epoch")
                for side in Side
            ),
            Command(
                says="An epoch larger than both that were printed: whoever comes late with an older one is refused. "
                "Relation crossfade.writer does not exist? Then the way back has ended: there is no way back",
                text="export EPOCH=1",
            ),
        ),
    )


def _source_writes(site: Site) -> Procedure:
    return Procedure(
        key="gone-roll-back",
        title="The source takes writes, or was fenced last: roll back by hand",
        when="The source printed t; or both printed f and the source printed the larger epoch, so that nothing was "
        "written on the target that the source has not. Whoever has begun a procedure goes on with that one.",
        steps=(
            *statements.fence(Side.TARGET, site.file.database.switch.lock_timeout),
            *_steps(router.shares(site)),
            *statements.open_side(Side.SOURCE),
            *router.drained(site).see[1:],
            *_steps(surroundings.servers_reverted(site, ends.ServersReverted())),
            *_steps(surroundings.files_reverted(site, ends.FilesReverted())),
            *database.remove_by_hand(),
            *surroundings.checks_passed(site, ends.ChecksPassed(suite=Suite.SOURCE)).by_hand,
        ),
    )


def _target_writes(site: Site) -> Procedure:
    back = ends.FilesFollow(primary=Side.TARGET)
    return Procedure(
        key="gone-fail-back",
        title="The target takes writes, or was fenced last: fail back by hand",
        when="The target printed t and the source f; or both printed f and the target printed the larger epoch: its "
        "last writes may not be on the source yet, and opening the source would lose them.",
        steps=(
            *_steps(router.shares(site)),
            *statements.wake(Side.TARGET),
            *statements.marker_arrives(Side.TARGET, "way_back", database.MARKER_PATIENCE),
            *database.switch_by_hand(site, Side.SOURCE),
            *_steps(surroundings.files_follow(site, back)),
            *statements.wake(Side.SOURCE),
            *statements.marker_arrives(Side.SOURCE, "way_back", database.MARKER_PATIENCE),
            database.verify(live=True),
            *surroundings.checks_passed(site, ends.ChecksPassed(suite=Suite.SOURCE)).by_hand,
            *database.remove_by_hand(),
        ),
    )


def _both_write(site: Site) -> Procedure:
    return Procedure(
        key="gone-both",
        title="Both take writes: stop",
        when="Both printed t. Somebody granted by other means; each side may hold writes that the other has not, and "
        "no command can know which count. Close the side with fewer users (here the target), keep both databases, "
        "remove nothing, and let people decide key by key.",
        steps=(
            *statements.fence(Side.TARGET, site.file.database.switch.lock_timeout),
            *_steps(router.shares(site)),
            database.verify(live=False),
        ),
    )


def _steps(card: Card) -> tuple[Command, ...]:
    """By hand, and then how one sees that it is so; without what the engine would say."""
    return (*card.by_hand, *card.see[1:])
