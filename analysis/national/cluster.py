"""Tasks done by a Dask cluster: workers are processes anywhere that reach the same database and the same rasters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from analysis.national.processes import TRIES
from analysis.national.worker import Task, city_on_worker
from geo.errors import Conflict, InvalidInput

WAIT_S: Final = 20
"""For how long a scheduler, and a worker of it, are waited for."""


def done_by_cluster(tasks: Sequence[Task], scheduler: str) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Have tasks done by the workers of a scheduler; give each with its answer, in the order in which they come.

    A task whose worker dies is given to another. Where the caller stops in between, tasks that nobody has begun are taken
    back.

    Parameters
    ----------
    tasks
        The tasks.
    scheduler
        Address, such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    InvalidInput
        Where no scheduler answers at the address, or it has no worker.
    Conflict
        Where the scheduler goes away.
    """
    import distributed  # takes a second: here, where it is wanted

    dask: Any = distributed  # says it is typed, and is not
    try:
        client = dask.Client(scheduler, timeout=WAIT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InvalidInput(
            f"No Dask scheduler answers at {scheduler}.",
            code="no_scheduler",
            where="--scheduler",
            remedy="Start one with `dask scheduler`, and give its address, as tcp://host:8786.",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError as error:
            raise InvalidInput(
                f"The Dask scheduler at {scheduler} has no worker.",
                code="no_worker",
                where="--scheduler",
                remedy="Start some, as docs/national.md says.",
            ) from error
        given = {
            client.submit(city_on_worker, task, pure=False, retries=TRIES, priority=-number): task
            for number, task in enumerate(tasks)
        }
        try:
            for future in dask.as_completed(given, loop=client.loop):
                if future.cancelled():
                    raise Conflict(
                        f"The Dask scheduler at {scheduler} is gone.",
                        code="scheduler_gone",
                        remedy="Start it again with its workers, and the same command: what is done is kept.",
                    )
                yield given[future], _answer(future)
                future.release()
        finally:
            client.cancel(list(given))


def _answer(future: Any) -> dict[str, Any]:
    error = future.exception()
    if error is None:
        answer: dict[str, Any] = future.result()
        return answer
    if isinstance(error, ConnectionError):
        return {"state": "again", "problem": {"title": str(error), "code": "database_away"}}
    if isinstance(error, ImportError):
        title = f"A Dask worker cannot find our code: {error}."
        return {
            "state": "wrong",
            "problem": {"title": title, "remedy": "Start it in a checkout, as docs/national.md says."},
        }
    return {"state": "problem", "problem": {"title": f"{type(error).__name__}: {error}"[:500], "code": "worker_died"}}
