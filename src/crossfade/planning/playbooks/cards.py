"""The card of each thing that the runbook asks for on a way back. What nobody wrote a card for is an error, no gap."""

from crossfade.model import ends
from crossfade.model.ends import End
from crossfade.model.terms import Side, Suite
from crossfade.planning.playbooks import database, router, surroundings
from crossfade.planning.playbooks.records import Card
from crossfade.planning.playbooks.site import Site
from crossfade.runbook.phases import Gate


class NoCard(LookupError):
    """The runbook asks for something that no playbook tells of: a card is missing here."""

    def __init__(self, what: End | Gate) -> None:
        self.what = what
        super().__init__(f"no card tells of {what}")


def card_of(what: End | Gate, site: Site) -> Card:  # noqa: C901, PLR0912 - a table of ends, a line each
    """Raises `NoCard`."""
    match what:
        case ends.SharesAre(canary_percent=0.0):
            return router.shares(site)
        case Gate.DRAINED:
            return router.drained(site)
        case ends.MirrorIs(percent=0.0):
            return router.mirror(site)
        case ends.WayBackAwake():
            return database.way_back_awake(site, what)
        case ends.SwitchPrepared():
            return database.switch_prepared(site, what)
        case ends.WriterIs(side=Side.TARGET):
            return database.switch_settled(site, what)
        case ends.WriterIs():
            return database.writer_is(site, what)
        case ends.DataVerified():
            return database.data_verified(site, what)
        case ends.ReplicationRemoved():
            return database.replication_removed(site, what)
        case ends.FilesFollow():
            return surroundings.files_follow(site, what)
        case Gate.FILES_IN_STEP:
            return surroundings.files_in_step(site)
        case ends.FilesReverted():
            return surroundings.files_reverted(site, what)
        case ends.ServersReverted():
            return surroundings.servers_reverted(site, what)
        case ends.ChecksPassed(suite=Suite.SOURCE):
            return surroundings.checks_passed(site, what)
        case _:
            raise NoCard(what)
