"""Where a rehearsal keeps its things and which ports it uses; written once, read by every part and by a resume."""

import json
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count, takewhile
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from crossfade import durable
from crossfade.model.errors import CrossfadeError
from crossfade.model.file import MigrationFile
from crossfade.model.file.rehearsal import Ports as PortsWanted
from crossfade.model.terms import Side
from crossfade.rehearsal.processes import free_ports, is_free

MOST_SERVERS = 12  # of each side: more would measure this computer, not the migration
_SINGLE_PORTS = 13


class NoSuchRehearsal(CrossfadeError):
    """No folder of that id, or one that is not a rehearsal's."""

    remedy = "See `crossfade status` for the ids there are; a rehearsal that ended is removed."

    def __init__(self, migration: str, folder: Path) -> None:
        self.migration, self.folder = migration, folder
        super().__init__(f"there is no rehearsal {migration!r} in {folder}")


class FolderUnusable(CrossfadeError):
    """The rehearsal's folder cannot be made or written."""

    remedy = "Make room or choose another folder with CROSSFADE_HOME."

    def __init__(self, folder: Path, why: str) -> None:
        self.folder, self.why = folder, why
        super().__init__(f"{folder} cannot be used: {why}")


class PortTaken(CrossfadeError):
    """A port that the migration file asks for is held by somebody else. `key` is its name there."""

    def __init__(self, key: str, port: int) -> None:
        self.key, self.port = key, port
        self.remedy = f"End the program that listens there, or leave rehearsal.ports.{key} out for a free port."
        super().__init__(f"port {port}, asked for as rehearsal.ports.{key}, is in use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All on 127.0.0.1. `wan_to_source` is where the target site reaches the source's database through the WAN.

    At `wan_primary` and `wan_backup` the far ends of the WAN's two paths answer. Copies of requests come to
    `shadow_mirror`, and what became of them is told at `shadow_control`.
    """

    source_database: int
    target_database: int
    wan_to_source: int
    wan_to_target: int
    wan_control: int
    wan_primary: int
    wan_backup: int
    router: int
    router_admin: int
    source_launcher: int
    target_launcher: int
    shadow_mirror: int
    shadow_control: int
    legacy: tuple[int, ...]
    modern: tuple[int, ...]
    test: tuple[int, ...]

    def everyone(self) -> frozenset[int]:
        values = asdict(self).values()
        return frozenset(port for value in values for port in (value if isinstance(value, tuple) else (value,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One rehearsal's folder. `through_wan`: the sites reach each other through the proxy that adds latency."""

    root: Path
    migration: str
    servers: tuple[str, ...]
    ports: Ports
    through_wan: bool
    speed: float
    seed: int

    @property
    def journals(self) -> tuple[Path, ...]:
        """Those that lie here, in their order: each later cutover after a fail back has begun one of its own."""
        here = (self.root / journal_name(number) for number in count(1))
        return tuple(takewhile(Path.is_file, here))

    @property
    def journal(self) -> Path:
        """The newest, or where the first will lie."""
        return (self.journals or (self.root / journal_name(1),))[-1]

    @property
    def next_journal(self) -> Path:
        """Where that of a later cutover will lie."""
        return self.root / journal_name(len(self.journals) + 1)

    @property
    def is_kept(self) -> bool:
        """After a fail back it stays, for a later cutover."""
        return self._kept.exists()

    def keep(self) -> None:
        self._kept.touch()

    @property
    def _kept(self) -> Path:
        return self.root / "kept"

    @property
    def telemetry(self) -> Path:
        return self.root / "telemetry.jsonl"

    @property
    def file(self) -> Path:
        return self.root / "migration.yaml"

    @property
    def users(self) -> Path:
        return self.root / "users"

    @property
    def router(self) -> Path:
        return self.root / "router"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def shadow(self) -> Path:
        return self.root / "shadow"

    @property
    def engine_log(self) -> Path:
        return self.logs / "engine.log"

    def site(self, side: Side) -> Path:
        return self.root / side.value

    def share(self, side: Side) -> Path:
        return self.site(side) / "share"

    def server(self, side: Side, name: str) -> Path:
        return self.site(side) / "servers" / name

    def database_port(self, side: Side, *, seen_from: Side) -> int:
        """Where `side`'s database is reached from the site `seen_from`."""
        if side is not seen_from and self.through_wan:
            return self.ports.wan_to_source if side is Side.SOURCE else self.ports.wan_to_target
        return self.ports.source_database if side is Side.SOURCE else self.ports.target_database


def journal_name(number: int) -> str:
    """`journal.sqlite`, then `journal-2.sqlite` and so on."""
    return "journal.sqlite" if number == 1 else f"journal-{number}.sqlite"


_LAYOUT: TypeAdapter[Layout] = TypeAdapter(Layout)


def home() -> Path:
    """Where rehearsals lie: CROSSFADE_HOME, else `.crossfade` in the working folder."""
    return Path(os.environ.get("CROSSFADE_HOME", ".crossfade")).absolute()


def new_id(name: str) -> str:
    return f"{name}-{secrets.token_hex(2)}"


def rehearsed_servers(file: MigrationFile) -> tuple[str, ...]:
    """The names of the servers that a rehearsal runs: the first twelve of the file's."""
    return file.server_names()[:MOST_SERVERS]


def lay_out(
    migration: str,
    servers: tuple[str, ...],
    *,
    through_wan: bool,
    speed: float,
    seed: int,
    wanted: PortsWanted = PortsWanted(),  # noqa: B008 - frozen
) -> Layout:
    """Make the folder of a new rehearsal and choose its ports: those `wanted`, and free ones of the range wanted.

    Raises `FolderUnusable`, `PortTaken` or `NoPortsLeft`; then nothing is left of it.
    """
    count = len(servers)
    given = {"router": wanted.router, "source_database": wanted.source_database}
    given |= {"target_database": wanted.target_database}
    for key, port in given.items():
        if port is not None and not is_free(port):
            raise PortTaken(key, port)
    but = _ports_of_others() | {port for port in given.values() if port is not None}
    free = free_ports(_SINGLE_PORTS + 3 * count, but=but, among=range(wanted.first, wanted.last + 1))
    singles, rest = free[:_SINGLE_PORTS], free[_SINGLE_PORTS:]
    blocks = [tuple(rest[i * count : (i + 1) * count]) for i in range(3)]
    ports = Ports(
        source_database=wanted.source_database or singles[0],
        target_database=wanted.target_database or singles[1],
        wan_to_source=singles[2],
        wan_to_target=singles[3],
        wan_control=singles[4],
        router=wanted.router or singles[5],
        router_admin=singles[6],
        source_launcher=singles[7],
        target_launcher=singles[8],
        wan_primary=singles[9],
        wan_backup=singles[10],
        shadow_mirror=singles[11],
        shadow_control=singles[12],
        legacy=blocks[0],
        modern=blocks[1],
        test=blocks[2],
    )
    layout = Layout(
        root=home() / migration,
        migration=migration,
        servers=servers,
        ports=ports,
        through_wan=through_wan,
        speed=speed,
        seed=seed,
    )
    _make(layout)
    return layout


def _make(layout: Layout) -> None:
    """Its folders, and the layout in them; nothing is left where that fails. Raises `FolderUnusable`."""
    try:
        layout.root.mkdir(parents=True)
    except OSError as fault:
        raise FolderUnusable(layout.root, fault.strerror or str(fault)) from fault
    try:
        for folder in (layout.users, layout.router, layout.files, layout.shadow, layout.logs, *map(layout.share, Side)):
            folder.mkdir(parents=True)
        durable.replace(layout.root / "layout.json", json.dumps(asdict(layout), default=str, indent=1).encode())
    except OSError as fault:
        shutil.rmtree(layout.root, ignore_errors=True)
        raise FolderUnusable(layout.root, fault.strerror or str(fault)) from fault


def take_along(layout: Layout, file: Path) -> None:
    """The migration file as it is now lies in the new rehearsal's folder.

    Raises `FolderUnusable`; then nothing is left of the folder.
    """
    try:
        durable.replace(layout.file, file.read_bytes())
    except OSError as fault:
        shutil.rmtree(layout.root, ignore_errors=True)
        raise FolderUnusable(layout.root, fault.strerror or str(fault)) from fault


def _ports_of_others() -> frozenset[int]:
    """Those of rehearsals that lie here interrupted: they will want them again."""
    taken: set[int] = set()
    for migration in begun():
        with suppress(NoSuchRehearsal):
            taken.update(read_layout(migration).ports.everyone())
    return frozenset(taken)


def read_layout(migration: str) -> Layout:
    """The layout of a rehearsal that was begun. Raises `NoSuchRehearsal`."""
    if Path(migration).name != migration:
        raise NoSuchRehearsal(migration, home())
    return read_layout_in(home() / migration)


def read_layout_in(folder: Path) -> Layout:
    """The layout of the rehearsal in `folder`. Raises `NoSuchRehearsal`."""
    try:
        return _LAYOUT.validate_json((folder / "layout.json").read_bytes())
    except (OSError, ValidationError) as fault:
        raise NoSuchRehearsal(folder.name, folder.parent) from fault


def begun() -> tuple[str, ...]:
    """The ids of all rehearsals that lie here: unfinished ones, and those kept after a fail back."""
    return tuple(sorted(path.parent.name for path in home().glob("*/layout.json")))
