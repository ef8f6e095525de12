"""Doing things at one moment, for tests of what two people do to one thing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def at_once(*acts: Callable[[], Any], rounds_apart: float = 0.0) -> list[Any]:
    """Do things at one moment, each on a connection of its own; give results, or the errors they ended with."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(index: int, act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            results[index] = act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "somebody waits for ever"
    return results


def losers(results: list[Any]) -> list[Any]:
    return [result for result in results if isinstance(result, BaseException)]
