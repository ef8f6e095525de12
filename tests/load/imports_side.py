"""Run beside the service that imports are killed in: makes a city and a person with a session, and says how things stand.

Answers each line of its input, ``city`` or ``standing``, with a line of JSON, until there is no more.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any


def city_made() -> dict[str, Any]:
    """Make a city with a boundary, and an analyst with a session."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.contrib.gis.geos import MultiPolygon, Polygon
    from django.contrib.sessions.backends.db import SessionStore
    from django.db.backends.postgresql.psycopg_any import DateRange

    from geo.models import Assignment, Boundary, Place

    city = Place.objects.create(kind="city", code="killed", name_fa="شهر", name_en="Killed", is_published=True)
    shape = MultiPolygon(Polygon.from_bbox((48.2, 33.4, 48.5, 33.6)), srid=4326)
    Boundary.objects.create(
        place=city, geometry=shape, status="approved", valid=DateRange(date(2020, 1, 1), None), source="test"
    )
    user = get_user_model().objects.create(username="importer", password=make_password(None))
    Assignment.objects.create(user=user, role="analyst", place=city)
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    return {"session": session.session_key}


def standing() -> dict[str, Any]:
    """Say what is in the database and on the disk after the imports."""
    from django.conf import settings
    from django.db import connection
    from procrastinate.contrib.django.models import ProcrastinateJob

    from layers.models import Feature, Raster, Release, Upload

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class AS c WHERE c.relname ~ '^layers_feature_[0-9]+$' AND c.relkind IN ('r', 'p')"
        )
        tables = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'layers_feature'::regclass")
        attached = {row[0] for row in cursor.fetchall()}
    releases = {}
    for release in Release.objects.all():
        rows = Feature.objects.of(release)
        releases[f"{release.layer.code}/{release.number}"] = {
            "said": release.row_count,
            "rows": 0 if hasattr(release, "raster") else rows.count(),
            "raster": release.raster.file if hasattr(release, "raster") else "",
            "table": f"layers_feature_{release.shelf}" if release.shelf else "",
        }
    rasters = set(Raster.objects.values_list("file", flat=True))
    folder = Path(settings.RASTER_DIR)
    return {
        "uploads": {str(one.pk): one.state for one in Upload.objects.all()},
        "problems": [one.problem for one in Upload.objects.exclude(problem={})],
        "releases": releases,
        "rows_in_all": Feature.objects.count(),
        "loose_tables": sorted(tables - attached),
        "tables": sorted(attached - {"layers_feature_shared"}),
        "jobs": list(ProcrastinateJob.objects.filter(status__in=("todo", "doing")).values_list("task_name", flat=True)),
        "upload_files": sorted(str(path.relative_to(settings.UPLOAD_DIR)) for path in Path(settings.UPLOAD_DIR).rglob("*")),
        "loose_rasters": sorted(path.name for path in folder.glob("*") if path.name not in rasters) if folder.is_dir() else [],
        "missing_rasters": sorted(name for name in rasters if not (folder / name).is_file()),
    }  # fmt: skip


def main() -> int:
    """Answer what is asked."""
    import django

    django.setup()
    from django.db import connection

    for line in sys.stdin:
        print(json.dumps({"city": city_made, "standing": standing}[line.strip()]()), flush=True)
        connection.close()  # the database may be killed before the next
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
