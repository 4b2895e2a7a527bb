"""The table of support: what the words of inventories mean, and that it is whole."""

from datetime import date

import pytest

from crossfade.planning.inventory.software import ENGINES
from crossfade.planning.readiness.support import database_of, release_of, support_table, system_of


@pytest.mark.parametrize(
    ("told", "version", "means"),
    [
        ("Microsoft Windows Server 2008 R2 (64-bit)", None, ("Windows Server", "2008 r2")),
        ("Microsoft Windows Server 2012R2 Standard", None, ("Windows Server", "2012 r2")),
        ("Windows Server Datacenter 2019", None, ("Windows Server", "2019")),
        ("Microsoft Windows 10 (64-bit)", None, ("Windows", "10")),
        ("Red Hat Enterprise Linux 7 (64-bit)", None, ("Red Hat Enterprise Linux", "7")),
        ("Red Hat Enterprise Linux Server release 7.9 (Maipo)", None, ("Red Hat Enterprise Linux", "7")),
        ("CentOS Linux release 7.9.2009 (Core)", None, ("CentOS", "7")),
        ("CentOS Stream 9", None, ("CentOS Stream", "9")),
        ("Ubuntu", "22.04.3 LTS", ("Ubuntu", "22.04")),
        ("SUSE Linux Enterprise 12 (64-bit)", None, ("SUSE Linux Enterprise Server", "12")),
        ("Oracle Linux 8", None, ("Oracle Linux", "8")),
        ("Amazon Linux 2 (64-bit)", None, ("Amazon Linux", "2")),
        ("Amazon Linux 2023", None, ("Amazon Linux", "2023")),
        ("Amazon Linux AMI 2018.03", None, ("Amazon Linux", "2018")),
        ("IBM AIX 7.2", None, ("AIX", "")),
    ],
)
def test_an_operating_system_is_known_by_the_words_of_inventories(
    told: str, version: str | None, means: tuple[str, str]
) -> None:
    found = system_of(told, version)
    assert found is not None
    assert (found.system.product, found.release) == means


@pytest.mark.parametrize(
    "told",
    [
        "CentOS 4/5 or later (64-bit)",
        "Microsoft Windows Server 2016 or later (64-bit)",
        "Ubuntu Linux (64-bit)",
        "Other Linux",
        "",
    ],
)
def test_words_that_may_mean_several_releases_or_none_are_not_guessed(told: str) -> None:
    assert system_of(told) is None


@pytest.mark.parametrize(
    ("engine", "version", "release"),
    [
        ("PostgreSQL", "13.4", "13"),
        ("postgres", "9.6.24", "9.6"),
        ("MySQL", "8.0.36", "8.0"),
        ("Microsoft SQL Server", "2016", "2016"),
        ("SQL Server", "13.0.5026", "13"),
        ("Oracle 19c", "19.3", "19"),
        ("PostgreSQL", "18.1", "18"),
        ("PostgreSQL", "99", None),
        ("PostgreSQL", "unknown", None),
    ],
)
def test_a_database_is_of_the_release_that_its_version_begins_with(
    engine: str, version: str, release: str | None
) -> None:
    database = database_of(engine)
    assert database is not None
    found = release_of(database, version)
    assert (found and found[0]) == release


def test_every_engine_that_processes_show_is_in_the_table() -> None:
    assert [engine for engine in set(ENGINES.values()) if database_of(engine) is None] == []


def test_the_table_has_every_version_that_a_migration_may_begin_with() -> None:
    """The risk of a source that gets no fixes is told from it."""
    engine = database_of("PostgreSQL")
    assert engine is not None
    assert {str(version) for version in range(10, 19)} <= set(engine.releases)


def test_the_table_names_a_source_for_every_row_and_dates_run_forward() -> None:
    table = support_table()
    for row in (*table.systems, *table.databases):
        assert row.source.startswith("https://")
        assert all(date(1995, 1, 1) < until < date(2045, 1, 1) for until in row.releases.values())
    windows = next(row for row in table.systems if row.product == "Windows Server")
    assert list(windows.releases.values()) == sorted(windows.releases.values())
