"""What computes cities: ``python -m analysis.national.worker`` beside `analysis.national.processes`, or a worker of Dask.

As a process it takes a task a line on standard input and answers a line on standard output, until there are no more.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

_PAUSE_S: Final = 3.0
_KEPT_S: Final = 60

Task = tuple[int, str, int, str]
"""Arguments of `analysis.national.city.city_compute`."""


def main() -> int:
    """Answer one task after another; an error that is nobody's city's is told too."""
    parent = os.getppid()
    from layers.jobs.child import die_with_parent

    die_with_parent()
    if os.getppid() != parent:
        return 1
    # Whatever a library prints goes where the errors go, not between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    _django_start()
    for line in sys.stdin:
        answers.write(json.dumps(_answered(json.loads(line))) + "\n")
    return 0


def _answered(task: Task) -> dict[str, Any]:
    from django.db import InterfaceError, OperationalError, connection

    from analysis.national.city import WrongWorker, city_compute

    try:
        return city_compute(*task)
    except (OperationalError, InterfaceError) as error:
        connection.close()
        return {"state": "again", "problem": {"title": str(error)[:500], "code": "database_away"}}
    except WrongWorker as error:
        return {"state": "wrong", "problem": error.members()}


def city_on_worker(task: Task) -> dict[str, Any]:
    """Compute a city on a worker of Dask, whose environment names the same database.

    Raises
    ------
    ConnectionError
        Where the database is away, so that Dask tries again.
    """
    _django_start()
    answer = _answered(task)
    if answer["state"] == "again":
        time.sleep(_PAUSE_S)
        raise ConnectionError(answer["problem"]["title"])
    return answer


def _django_start() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    root = str(Path(__file__).resolve().parent.parent.parent)
    if root not in sys.path:
        sys.path.insert(0, root)
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()
        _connection_keep()


def _connection_keep() -> None:
    """Have a connection serve more than one city, which may take less time than connecting.

    One that is older is given up before the next city, so that whoever waits for work long finds none that the network or
    the database has forgotten; the others are tried by a question that costs nothing.
    """
    from django.db import DEFAULT_DB_ALIAS, connections

    connections.settings[DEFAULT_DB_ALIAS] |= {"CONN_MAX_AGE": _KEPT_S, "CONN_HEALTH_CHECKS": True}


if __name__ == "__main__":
    raise SystemExit(main())
