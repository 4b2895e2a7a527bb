"""The page that leads through the other files. Pure."""

from crossfade.infra.names import zone_name
from crossfade.infra.premises.document import Document
from crossfade.infra.routing import announcements
from crossfade.model.file import MigrationFile

_ABOUT = {
    "linux/swanctl/conf.d/crossfade.conf": "strongSwan: both tunnels",
    "linux/swanctl/conf.d/crossfade-keys.conf": "strongSwan: their keys",
    "linux/strongswan.d/crossfade.conf": "strongSwan: routes are left to BGP",
    "linux/interfaces.sh": "the tunnels' interfaces, at each start of the router",
    "linux/nftables.d/crossfade.nft": "no segment is longer than a tunnel carries",
    "linux/frr.conf": "FRR: BGP on every path",
    "cisco-ios-xe.txt": "the same for Cisco IOS-XE, instead of all above",
    "cisco-ios-xe-keys.txt": "its keys, to be entered first",
    "firewall.csv": "what firewalls must let through",
    "postgresql/conf.d/crossfade.conf": "settings of the source database",
    "postgresql/pg_hba.conf": "who may log in to it from AWS",
}


def guide(file: MigrationFile, found: tuple[Document, ...]) -> Document:
    """What each file is, what is announced where, and what a person must still fill in."""
    files = "".join(f"| {d.path} | {_ABOUT[d.path]} | {_rights(d)} |\n" for d in found)
    paths = "".join(
        f"| {a.path.value.replace('_', ' ')} | {', '.join(map(str, a.prefixes))} | {a.local_preference} |\n"
        for a in announcements(file)
    )
    open_ = "".join(
        f"- `{name}`: {', '.join(d.path for d in found if name in d.blanks)}\n"
        for name in sorted({name for d in found for name in d.blanks})
    )
    text = f"""\
# The data center's side of {file.migration.name}

| file | what it is | who may read it |
| --- | --- | --- |
{files}
## Paths

| path | announces to AWS | local preference of what AWS announces |
| --- | --- | --- |
{paths}
The longest prefix wins at AWS, so the first path carries the traffic while it is up; the local preference leads the
answers the same way. A router that speaks BGP with others of yours: hold these prefixes back from them.

## To fill in

{open_ or "Nothing." + chr(10)}
Outside addresses of the tunnels: `aws ec2 describe-vpn-connections`, whose `CustomerGatewayConfiguration` this command
takes with `--vpn-configuration`. Pre-shared keys lie in Secrets Manager. Direct Connect:
`aws directconnect describe-virtual-interfaces`.

## Besides

- The data center's resolvers forward `{zone_name(file)}` to the addresses of the inbound endpoint on AWS.
- Agents of MGN, DataSync and Systems Manager are installed as their guides say; no proxy may break up their TLS.
"""
    return Document(path="README.md", text=text)


def _rights(document: Document) -> str:
    return "its owner" if document.secret else "everybody"
