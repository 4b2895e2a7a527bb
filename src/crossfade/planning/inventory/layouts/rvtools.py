"""RVTools, from 3.x (MB, and the names of its old CSV files) to 4.x (MiB).

Source: exports of these versions; MB in the old headings always meant MiB.
"""

from collections.abc import Iterator

from crossfade.planning.inventory import cells
from crossfade.planning.inventory.layout import Fragment, Layout, Row, RowRefused, column, needs
from crossfade.planning.inventory.records import Disk, Kind, Partition

FORMAT = "rvtools"
_TOLD_ELSEWHERE = "vInfo and the sheets beside it tell what is used"
_VM = column("name", "vm vinfovmname vcpuvmname vmemoryvmname vdiskvmname vpartitionvmname vnetworkvmname", cells.text)
_UUID = column("uuid", "vmuuid vinfouuid vminstanceuuid", cells.uuid)
_POWER = column("power", "powerstate vinfopowerstate", cells.power)
_TEMPLATE = column("is_template", "template vinfotemplate", cells.flag)
_WHERE = (
    column("data_center", "data_center vinfodatacenter", cells.text),
    column("cluster", "cluster vinfocluster", cells.text),
)
_OS = (
    column("os_of_tools", "osaccordingtothevmwaretools vinfoostools", cells.text),
    column("os_of_configuration", "osaccordingtotheconfigurationfile vinfoos vinfoosconfig os", cells.text),
)


def _server(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = dict(row.values)
    of_tools, of_configuration = values.pop("os_of_tools", None), values.pop("os_of_configuration", None)
    if of_tools or of_configuration:  # what runs within the guest is nearer to the truth
        values["operating_system"] = of_tools or of_configuration
    if network := [values.pop(name) for name in ("network_1", "network_2", "network_3", "network_4") if name in values]:
        values["networks"] = tuple(dict.fromkeys(network))
    if "name" not in values:
        raise RowRefused("names no VM", "give the VM's name", "VM")
    yield layout.fragment(row, values)


def _detail(layout: Layout, row: Row) -> Iterator[Fragment]:
    if "name" not in row.values:
        raise RowRefused("names no VM", "give the VM's name", "VM")
    keep = {"name", "uuid", "memory_average_percent", "cpu_average_percent", "memory_mib", "cpus"}
    yield layout.fragment(row, {name: value for name, value in row.values.items() if name in keep})


def _disk(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = _named(row)
    if "capacity" not in row.values:
        raise RowRefused("has no capacity", "give the disk's capacity in MiB", "Capacity MiB")
    values["disks"] = (Disk(name=row.values.get("disk", "disk"), capacity_mib=row.values["capacity"]),)
    yield layout.fragment(row, values)


def _partition(layout: Layout, row: Row) -> Iterator[Fragment]:
    values, told = _named(row), row.values
    if "capacity" not in told:
        raise RowRefused("has no capacity", "give the partition's capacity in MiB", "Capacity MiB")
    partition = Partition(path=told.get("disk", "?"), capacity_mib=told["capacity"], used_mib=told.get("used"))
    values["partitions"] = (partition,)
    yield layout.fragment(row, values)


def _network(layout: Layout, row: Row) -> Iterator[Fragment]:
    values = _named(row)
    found = (*row.values.get("ipv4", ()), *row.values.get("ipv6", ()))
    for name, told in (("addresses", found), ("mac_addresses", row.values.get("mac_addresses", ()))):
        if told:
            values[name] = told
    if "network" in row.values:
        values["networks"] = (row.values["network"],)
    yield layout.fragment(row, values)


def _named(row: Row) -> dict[str, object]:
    if "name" not in row.values:
        raise RowRefused("names no VM", "give the VM's name", "VM")
    return {name: row.values[name] for name in ("name", "uuid") if name in row.values}


_INFO = Layout(
    format=FORMAT,
    table="vInfo",
    kind=Kind.SERVER,
    needs=needs("vm|vinfovmname", "cpus|vinfocpus", "memory|vinfomemory"),
    key=("uuid", "name"),
    build=_server,
    columns=(
        _VM,
        _UUID,
        _POWER,
        _TEMPLATE,
        *_WHERE,
        *_OS,
        column("host_names", "dnsname vinfoguesthostname", cells.names),
        column("cpus", "cpus vinfocpus", cells.count),
        column("memory_mib", "memory vinfomemory", cells.mib),
        column("disk_mib", "provisionedmib provisionedmb vinfoprovisioned", cells.mib),
        column("disk_used_mib", "inusemib inusemb vinfoinuse", cells.mib),
        column("addresses", "primaryipaddress vinfoprimaryipaddress vinfoprimaryip", cells.addresses),
        column("firmware", "firmware", cells.text),
        column("hypervisor", "host vinfohost", cells.text),
        column("cpu_average_percent", "cpuusagepct", cells.percent),
        *(column(f"network_{n}", f"network{n} vinfonetwork{n}", cells.text) for n in range(1, 5)),
        column("environment", "environment", cells.text),
        column("owner", "owner applicationowner", cells.text),
        column("applications", "application applications", cells.names),
    ),
)
_DISK = Layout(
    format=FORMAT,
    table="vDisk",
    kind=Kind.SERVER,
    needs=needs("vm|vdiskvmname", "disk|vdiskdisk", "capacitymib|capacitymb", "diskkey|diskmode|unit|controller|thin"),
    build=_disk,
    columns=(
        _VM,
        _UUID,
        column("disk", "disk vdiskdisk", cells.text),
        column("capacity", "capacitymib capacitymb", cells.mib),
    ),
)
_PARTITION = Layout(
    format=FORMAT,
    table="vPartition",
    kind=Kind.SERVER,
    needs=needs("vm|vpartitionvmname", "disk", "capacitymib|capacitymb", "consumedmib|consumedmb|freemib|freemb"),
    build=_partition,
    columns=(
        _VM,
        _UUID,
        column("disk", "disk", cells.text),
        column("capacity", "capacitymib capacitymb", cells.mib),
        column("used", "consumedmib consumedmb", cells.mib),
    ),
)
_NETWORK = Layout(
    format=FORMAT,
    table="vNetwork",
    kind=Kind.SERVER,
    needs=needs("vm|vnetworkvmname", "macaddress|vnetworkmacaddress|niclabel|adapter"),
    build=_network,
    columns=(
        _VM,
        _UUID,
        column("network", "network vnetworknetwork", cells.text),
        column("mac_addresses", "macaddress vnetworkmacaddress", cells.macs),
        column("ipv4", "ipv4address ipaddress vnetworkipaddress", cells.addresses),
        column("ipv6", "ipv6address", cells.addresses),
    ),
)
_CPU = Layout(
    format=FORMAT,
    table="vCPU",
    kind=Kind.SERVER,
    needs=needs("vm|vcpuvmname", "overall", "cpureadypct|sockets|corespersocket|cores|maxusage"),
    build=_detail,
    columns=(_VM, _UUID, column("cpus", "cpus", cells.count)),
)
_MEMORY = Layout(
    format=FORMAT,
    table="vMemory",
    kind=Kind.SERVER,
    needs=needs("vm|vmemoryvmname", "sizemib|sizemb", "active|consumed"),
    build=_detail,
    columns=(_VM, _UUID, column("memory_mib", "sizemib sizemb", cells.mib)),
)
_HOST = Layout(
    format=FORMAT,
    table="vHost",
    kind=Kind.HOST,
    needs=needs("host|vhostname", "speed|vhostcpumhz", "cores|vhostnumcpucores|cpu"),
    columns=(
        column("name", "host vhostname", cells.text),
        *_WHERE,
        column("cores", "cores vhostnumcpucores", cells.count),
        column("memory_mib", "memory vhostmemorysize", cells.mib),
        column("cpu_average_percent", "cpuusagepct", cells.percent),
        column("memory_average_percent", "memoryusagepct", cells.percent),
        column("operating_system", "esxversion", cells.text),
    ),
)


def _unused(table: str, *groups: str) -> Layout:
    return Layout(format=FORMAT, table=table, kind=Kind.SERVER, needs=needs(*groups), why_unused=_TOLD_ELSEWHERE)


LAYOUTS = (
    _INFO,
    _DISK,
    _PARTITION,
    _NETWORK,
    _CPU,
    _MEMORY,
    _HOST,
    _unused("vTools", "vm", "tools", "toolsversion"),
    _unused("vSnapshot", "vm", "snapshot|name", "sizemibtotal|sizembtotal|sizemibvmsn|sizembvmsn"),
    _unused("vCD or vUSB", "vm", "devicenode|devicetype|familytype", "connected|startsconnected"),
    _unused("vHealth", "name", "messagetype", "message"),
    _unused("vCluster", "cluster|name", "totalcpu", "cluster|configstatus|numhosts"),
    _unused("vSwitch or vPort", "switch", "portgroup|host|vlan|numports", "vlan|ports|type|freeports|numports"),
    _unused("vRP", "resourcepool|resourcepoolname|resourcepoolpath"),
    _unused("vHBA, vNIC or vSC_VMK", "host", "device", "driver|bus|mtu|netmask|subnetmask"),
    _unused("vDatastore", "name", "capacitymib|capacitymb", "provisionedmib|provisionedmb", "type|accessible|vms"),
    _unused("vMultiPath", "host", "datastore", "path1|queuedepth|policy"),
    _unused("vLicense", "name", "key", "labels|costunit|total"),
    _unused("vFileInfo", "friendlypathname|filename", "filetype|filesizeinbytes"),
    _unused("vMetaData", "rvtoolsversion|rvtoolsmajorversion"),
)
