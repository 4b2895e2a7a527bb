"""Every layout that is known. A new tool is a module beside these and its row here."""

from crossfade.planning.inventory.layout import Layout
from crossfade.planning.inventory.layouts import (
    azure,
    connections,
    discovery,
    discovery_agent,
    factory,
    konveyor,
    plain,
    rvtools,
)

LAYOUTS: tuple[Layout, ...] = (
    *rvtools.LAYOUTS,
    *discovery.LAYOUTS,
    *discovery_agent.LAYOUTS,
    *factory.LAYOUTS,
    *azure.LAYOUTS,
    *konveyor.LAYOUTS,
    *connections.LAYOUTS,
    *plain.LAYOUTS,
)
