"""Processes that name a database's engine."""

import re

ENGINES = {
    "postgres": "PostgreSQL",
    "postmaster": "PostgreSQL",
    "mysqld": "MySQL",
    "mariadbd": "MariaDB",
    "sqlservr": "SQL Server",
    "oracle": "Oracle",
    "tnslsnr": "Oracle",
    "db2sysc": "Db2",
    "mongod": "MongoDB",
    "redis-server": "Redis",
    "cassandra": "Cassandra",
}


def engine_of(process: str) -> str | None:
    """The engine whose server process this is, from its name or path; None if it is none that is known."""
    name = re.split(r"[\\/]", process.strip().casefold())[-1].removesuffix(".exe")
    return ENGINES.get(re.split(r"[\s:]", name)[0])


def is_engine(process: str) -> bool:
    return engine_of(process) is not None
