"""docs/preflight.md, of which the tables are made from the checks."""

from crossfade.database.preflight import CHECKS, Check
from crossfade.model.seen import Severity
from tests.docs.documents import ROOT

PREFLIGHT = ROOT / "docs" / "preflight.md"
_PREFACE = """\
# Preflight: what would make the move fail later

*The tables are generated from the code by `python -m tests.docs.published`; a test holds them to that.*

`crossfade preflight` asks both databases everything at once, changes nothing, and tells each thing that would stop
the migration later, with its object, why it matters, and what makes it go away. A migration asks the same at its
beginning: what blocks stops it there, before anything is built.

```sh
crossfade preflight --source 'host=old dbname=ledger' --target 'host=new dbname=ledger' --schema ledger
```

- Without `--target` the source alone is looked at, months before there is a target.
- `--file` takes schemas, roles, the engine and accepted warnings from a migration file. `database.preflight_accept`
  names warnings by their subject, or as `check: subject` (those of a server in that form only), each with its reason.
  What blocks cannot be accepted. A migration heeds the same: its journal tells what was accepted, and why.
- `--remedies FILE` writes the SQL of all remedies in an order that works. Statements that take something away or
  rewrite a table (marked ✋ below) are comments in it: a person decides. ↻ counts after a restart of the server.
- `--dms` adds what DMS cannot do. With `database.replication.engine: dms` in the file it is on.

The fence is tried in a transaction that is rolled back: whoever could still write then is named. Names of objects
and roles are told, values of rows never, but for the highest number behind a sequence.

## While the migration runs

Asked again while changes replicate, it compares the tables of both sides: DDL does not replicate. Each difference is
named with the statement that brings the target along (the checks `ddl-…`); a column that only the target has does no
harm. A look at replication names the same by itself, without definitions, and holds the migration before the cutover
until the target follows or `preflight_accept` names it: an index that nobody needs any more, a type that was widened
on purpose. What is missing for rows to find their place cannot be accepted. After the cutover only that holds.

`crossfade verify --schema` compares more than that (triggers, grants, policies, statistics), between any two
databases, as texts. It is another part of the code on purpose: roles do not know each other, and it neither knows
which half of the schema stands nor writes statements.

## Where it cannot look

- **The room on the disk of the server** is in no catalog, for whatever role: PostgreSQL tells sizes of what it has
  written, and of the disk under it nothing. Only who may run programs on the server (`COPY … FROM PROGRAM`, a
  superuser or a member of `pg_execute_server_program`) could ask its operating system, and preflight runs none there;
  on RDS it is the metric `FreeStorageSpace`. `wal-room` compares the rate of WAL since the last
  checkpoint (at least a minute ago) with `max_slot_wal_keep_size`, for an hour and a full load at an assumed 50 MiB
  a second.
- **A role that is no superuser** is told what it lacks, right by right
  ([what it needs](database-switch.md#what-it-needs)). RDS and Aurora are known by their role `rds_superuser`: there,
  its memberships are asked for too, and settings are named for the parameter group. That was tried
  on plain servers with roles of these names, never on RDS itself.
- What the role may not read is told as `not-examined`, never passed over.
- A failover is foreseen from physical slots and standbys that are connected; those of a service do not show.
- Values are measured where out-of-line storage is larger than 256 MiB, by the number of their pieces.

"""
_TITLES = {Severity.BLOCKER: "What blocks the move", Severity.WARNING: "What deserves attention"}


def preflight_page() -> str:
    return _PREFACE + "\n".join(_chapter(severity) for severity in _TITLES)


def _chapter(severity: Severity) -> str:
    rows = "".join(_row(check) for check in CHECKS if check.severity is severity)
    head = "| check | asked of | why it matters | besides the SQL |\n| --- | --- | --- | --- |"
    return f"## {_TITLES[severity]}\n\n{head}\n{rows}"


def _row(check: Check) -> str:
    marks = " ✋" * check.care + " ↻" * check.restart
    where = f"{check.place}{', with DMS' if check.dms else ''}{f', from {check.since} on' if check.since > 13 else ''}"
    where += ", moving up from 13" if check.until == 13 else ""
    cells = (f"`{check.name}`{marks}", where, check.why, check.advice or "–")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"
