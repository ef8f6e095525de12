"""Counting the sums of areas again after something was written in them."""

from __future__ import annotations

import time
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from interventions.core.years import Year, year_of
from interventions.models import AREA_DEPTH, TallyMark
from interventions.selectors.counting import COLUMNS, YEAR_COLUMNS, counted_sql, years_sql

READERS_S: Final = 0.1
"""Seconds that a reader counts before reading; what is marked then still waits for the next reader or the command."""

YEARS_KEPT: Final = 12
"""Years of which sums are kept: the present one, the next and those before."""

_LOCK: Final = 7_205_759
_OF_AREA: Final = """
FROM geo_place AS p
WHERE p.path = %(area)s OR %(whole)s AND p.path ~>=~ (%(area)s || '/') AND p.path ~<~ (%(area)s || '0')
"""


def tallies_count(most_s: float | None = None) -> int:
    """Count the marked areas again, those marked longest first; return how many are still marked.

    While somebody else counts, nothing is done and nobody waits: sums are then as they were before the last writes.

    Parameters
    ----------
    most_s
        After how many seconds to stop; None for never.
    """
    began = time.monotonic()
    while areas := _marked():
        if (most_s is not None and time.monotonic() - began > most_s) or not _counted(areas[0]):
            break
    return len(areas)


def _marked() -> list[str]:
    rows = TallyMark.objects.values("area").annotate(first=Min("pk")).order_by("first")
    return list(rows.values_list("area", flat=True))


def _counted(area: str) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return False
        # First the marks, then the sums: what is written in between leaves a mark of its own, which stays.
        cursor.execute("DELETE FROM interventions_tallymark WHERE area = %s", [area])
        for table in ("interventions_tally", "interventions_yeartally"):
            cursor.execute(
                f"DELETE FROM {table} USING geo_place AS p WHERE place_id = p.id AND interventions_area(p.path) = %s",  # noqa: S608
                [area],
            )
        _insert(cursor, area)
    return True


def _insert(cursor: Any, area: str) -> None:
    latest = year_of(timezone.localdate()).number + 1
    years = [Year(number) for number in range(latest - YEARS_KEPT + 1, latest + 1)]
    days = {
        f"y{k}{end}": day for k, year in enumerate(years) for end, day in (("b", year.begins_on), ("e", year.ends_on))
    }
    listed = ", ".join(f"(%(y{k}b)s::date, %(y{k}e)s::date)" for k in range(len(years)))
    # In one statement, because how far each need has come is asked once for both.
    cursor.execute(
        f"""
        WITH {counted_sql(_OF_AREA)}, {years_sql(listed)},
        of_sectors AS (
            INSERT INTO interventions_tally (place_id, sector_id, is_public, {", ".join(COLUMNS)})
            SELECT p.id, c.sector_id, c.is_public, {", ".join(f"c.{name}" for name in COLUMNS)}
            FROM counted AS c JOIN geo_place AS p ON p.path = c.path
        )
        INSERT INTO interventions_yeartally (place_id, year_begins_on, is_public, {", ".join(YEAR_COLUMNS)})
        SELECT p.id, c.begins_on, c.is_public, {", ".join(f"c.{name}" for name in YEAR_COLUMNS)}
        FROM counted_years AS c JOIN geo_place AS p ON p.path = c.path
        """,  # noqa: S608 - made of the names above
        {
            "area": area,
            "whole": area.count("/") + 1 == AREA_DEPTH,
            "depth": AREA_DEPTH,
            "zone": timezone.get_default_timezone_name(),
            **days,
        },
    )


__all__ = ["READERS_S", "tallies_count"]
