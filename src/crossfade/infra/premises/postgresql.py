"""What the source's PostgreSQL must be set to before the migration begins. Pure.

Source: PostgreSQL documentation, logical replication, configuration settings; pg_hba.conf.
"""

from crossfade.database.needs import FREE_SENDERS, FREE_SLOTS, WORKERS
from crossfade.infra import wants
from crossfade.infra.premises.document import Document, blank
from crossfade.model.file import MigrationFile

_USUAL_SLOTS = _USUAL_SENDERS = 10
_USUAL_WORKERS, _USUAL_PROCESSES = 4, 8
"""PostgreSQL's own defaults: what is in use today fits into them, unless somebody has raised them."""
_DMS_SLOTS = 2
"""A task of DMS holds a slot, and one more while it loads. Source: DMS user guide, PostgreSQL as a source."""
_KNOWS_SCRAM_FIRST = 14
"""Passwords are stored for SCRAM by default from this version on; before, for md5."""
_MEGABYTE = 1024 * 1024


def postgresql(file: MigrationFile) -> tuple[Document, ...]:
    """A file of settings and the lines of pg_hba.conf."""
    return (
        Document(path="postgresql/conf.d/crossfade.conf", text=_settings(file)),
        Document(path="postgresql/pg_hba.conf", text=_admission(file)),
    )


def _settings(file: MigrationFile) -> str:
    dms = _DMS_SLOTS if wants.dms(file) else 0
    counts = (
        ("max_replication_slots", _USUAL_SLOTS, FREE_SLOTS + dms),
        ("max_wal_senders", _USUAL_SENDERS, FREE_SENDERS + dms),
        ("max_logical_replication_workers", _USUAL_WORKERS, WORKERS),
        ("max_worker_processes", _USUAL_PROCESSES, WORKERS),
    )
    keep = file.database.replication.wal.drop_at // _MEGABYTE
    lines = [
        "# Read by include_dir = 'conf.d'. What says 'restart' needs one; everything else, a reload.",
        "# Where a setting is higher today, keep yours and add what stands after the plus sign.",
        "wal_level = logical  # restart",
        *(f"{name} = {usual + more}  # {usual} + {more}, restart" for name, usual, more in counts),
        f"max_slot_wal_keep_size = {keep}MB  # the migration gives way before the disk is full",
        "ssl = on  # with ssl_cert_file and ssl_key_file of yours",
        "ssl_min_protocol_version = 'TLSv1.2'",
        "fsync = on",
    ]
    return "".join(f"{line}\n" for line in lines)


def _admission(file: MigrationFile) -> str:
    vpc, name = file.target.cidr, file.database.name
    old = file.database.source.version < _KNOWS_SCRAM_FIRST
    of_application = "md5" if old else "scram-sha-256"
    rows = [("hostssl", name, blank("replication-role"), str(vpc), "scram-sha-256")]
    rows += [("hostssl", name, _quoted(role), str(vpc), of_application) for role in file.database.application_roles]
    rows += [("host", "all", "all", str(vpc), "reject")]
    lines = [
        "# Above the lines of yours in pg_hba.conf, for the first that fits counts; then reload.",
        "# From AWS only with TLS, only these roles, only this database. Logical replication counts as its database.",
    ]
    if old:
        lines.append("# md5 admits a role whether its password is stored for md5 or for SCRAM.")
    return "".join(f"{line}\n" for line in (*lines, *("  ".join(row) for row in rows)))


def _quoted(role: str) -> str:
    """Quotes keep a role's name a name, whatever it is (`all` and `+group` mean something else there)."""
    return '"' + role.replace('"', '""') + '"'
