"""Services that a data center shares: the ports, processes and names by which they are known.

Source of the ports: IANA, Service Name and Transport Protocol Port Number Registry, and where that has none (backup,
monitoring) the port list of the product's own manual. Ports that applications use as well (8080, 9090, 10000 …) are
left out: fan-in alone shows those.
"""

import re
from dataclasses import dataclass

from crossfade.planning.applications.names import words

_DIGITS = re.compile(r"\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """`answers`: ports on which the service itself answers; `asks`: ports of agents that it asks on every server.

    `fewest` is how many servers have to use it before fan-in counts as evidence.
    """

    name: str
    answers: frozenset[int] = frozenset()
    asks: frozenset[int] = frozenset()
    processes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    fewest: int = 3


ROLES = (
    Role(
        name="directory",
        answers=frozenset({88, 389, 464, 636, 3268, 3269}),
        processes=words("lsass slapd ns-slapd krb5kdc ntds"),
        words=words("ad adds dc ldap ipa freeipa"),
    ),
    Role(
        name="DNS",
        answers=frozenset({53}),
        processes=words("named dns unbound dnsmasq coredns pdns_server"),
        words=words("dns bind resolver"),
    ),
    Role(name="DHCP", answers=frozenset({67}), processes=words("dhcpd kea-dhcp4"), words=words("dhcp")),
    Role(name="time", answers=frozenset({123}), processes=words("ntpd chronyd"), words=words("ntp")),
    Role(
        name="backup",
        answers=frozenset({1500, 1556, 6106, 8400, 9103, 9392, 9401, 13724}),
        asks=frozenset({9102, 13782}),
        processes=words("bpcd nbpem bprd veeam.backup.service dsmserv bacula-dir bacula-sd cvd beremote"),
        words=words("backup bkp veeam netbackup nbu tsm bacula commvault"),
    ),
    Role(
        name="monitoring",
        answers=frozenset({162, 1984, 10051}),
        asks=frozenset({161, 5666, 5693, 9100, 9182, 10050}),
        processes=words("zabbix_server nagios icinga2 prometheus check_mk snmptrapd prtg"),
        words=words("monitoring nagios zabbix icinga prometheus prtg scom checkmk"),
    ),
    Role(
        name="logs",
        answers=frozenset({514, 5044, 6514, 9997, 12201}),
        processes=words("rsyslogd syslog-ng logstash splunkd graylog"),
        words=words("syslog splunk graylog logstash siem"),
    ),
    Role(
        name="mail relay",
        answers=frozenset({25, 587}),
        processes=words("exim exim4 sendmail edgetransport"),
        words=words("smtp mailrelay relay mx"),
    ),
    Role(name="proxy", answers=frozenset({3128}), processes=words("squid"), words=words("proxy squid")),
    Role(
        name="updates and configuration",
        answers=frozenset({4505, 4506, 8140, 8530, 8531}),
        processes=words("wsusservice puppetserver salt-master"),
        words=words("wsus sccm puppet salt satellite ansible"),
    ),
    Role(
        name="administration",
        asks=frozenset({22, 3389, 5985, 5986}),
        words=words("jump bastion jumphost"),
        fewest=10,
    ),
)
HUB = "used by many"
"""A server that a good part of all others ask, for something that no port of the table tells."""


def plain_process(process: str) -> str:
    r"""`C:\Windows\\System32\\lsass.exe` and `/usr/sbin/named -u bind` by the name of the program."""
    program = re.split(r"[\\/]", process.strip().casefold())[-1]
    return re.split(r"[\s:]", program)[0].removesuffix(".exe")


def words_of(name: str) -> frozenset[str]:
    """The words of a host name, without the digits at their ends: `eu-dns01.corp.example` is of eu and dns."""
    first = name.casefold().split(".")[0]
    return frozenset(_DIGITS.sub("", word) for word in re.split(r"[-_\s]+", first))
