"""System checks: what the service needs from its database and libraries."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections


@register(Tags.database)
def postgis_is_recent(*, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Refuse a PostgreSQL older than 15 or a PostGIS older than 3.3."""
    problems: list[CheckMessage] = []
    for alias in databases or []:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(
                    "SELECT current_setting('server_version_num')::int, (SELECT extversion FROM pg_extension WHERE extname = 'postgis')"
                )
                server, postgis = cursor.fetchone()
        except DatabaseError as error:
            problems.append(
                Error(
                    f"The database does not answer: {error}",
                    hint="Run `make setup`, or correct DATABASE_URL.",
                    id="mahalleh.E001",
                )
            )
            continue
        if server < 150000:
            problems.append(
                Error(f"PostgreSQL {server} is too old.", hint="Use PostgreSQL 15 or later.", id="mahalleh.E002")
            )
        if postgis and tuple(int(part) for part in postgis.split(".")[:2]) < (3, 3):
            problems.append(
                Error(f"PostGIS {postgis} is too old.", hint="Use PostGIS 3.3 or later.", id="mahalleh.E003")
            )
    return problems
