"""AWS Cloud Migration Factory: the intake form of waves, applications and servers.

Source: aws-solutions/cloud-migration-factory-on-aws, its intake form; `;` stands between several values.
"""

from collections.abc import Iterator

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Fragment, Layout, Row, RowRefused, column, needs
from crossfade.planning.inventory.records import Kind


def _server(layout: Layout, row: Row) -> Iterator[Fragment]:
    if "name" not in row.values:
        raise RowRefused("names no server", "give the server's name", "server_name")
    values = dict(row.values)
    family = values.pop("family", None)
    if family and "operating_system" not in values:
        values["operating_system"] = family
    yield layout.fragment(row, values)


LAYOUTS = (
    Layout(
        format="cloud-migration-factory",
        table="intake",
        kind=Kind.SERVER,
        needs=needs("servername", "wavename|rtype|awsaccountid|serverfqdn", "appname|serverosfamily|serverfqdn"),
        key=("name",),
        build=_server,
        columns=(
            column("name", "servername", cells.text),
            column("host_names", "serverfqdn", cells.names),
            column("family", "serverosfamily", cells.text),
            column("operating_system", "serverosversion", cells.text),
            column("applications", "appname", cells.names),
            column("wave", "wavename", cells.text),
            column("tier", "servertier", cells.text),
            column("environment", "serverenvironment", cells.text),
            column("strategy", "rtype", cells.text),
            column("tags", "tags", cells.names),
            column("owner", "appowner serverowner owner", cells.text),
            column("addresses", "privateip ipaddress", cells.addresses),
            column("recommended_instance", "instancetype", cells.text),
        ),
    ),
)
