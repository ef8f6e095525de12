"""``python -m tests.load.city EDITORS``: load the demo city and sign in planners, in a process of its own.

Prints one line of JSON: the city's code, sessions of the planners, and what the city's tiling was at the beginning.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.city import build_and_load, start_django

CITY = "khorramabad"


def main(n_editors: int) -> dict[str, Any]:
    """Load the city, make the planners, and return what editors and the check afterwards need."""
    from django.conf import settings

    start_django()
    build_and_load(Path(settings.VAR_DIR) / "demo", 1, ["clinic"])
    import shapely

    from geo.core.topology import findings
    from geo.models import Place
    from geo.querysets import system_user
    from geo.selectors import shapes_read

    city = Place.objects.get(kind=Place.Kind.CITY, code=CITY)
    shapes = shapes_read(city, system_user())
    tiles = shapes.neighbourhoods
    return {
        "city": CITY,
        "places": len(tiles) + len(shapes.settlements),
        "sessions": [signed_in(f"editor-{number:02}", city) for number in range(n_editors)],
        "findings": [finding.key for finding in findings(tiles)],
        "union": shapely.to_wkb(shapely.union_all(list(tiles.values())), hex=True),
    }


def signed_in(name: str, city: Any) -> dict[str, str]:
    """Make a planner of the city and a session, as the login page would after checking a password."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    from geo.models import Assignment

    user = get_user_model().objects.create_user(name)
    Assignment.objects.create(user=user, role=Assignment.Role.PLANNER, place=city)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return {"user": name, "session": session.session_key}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
