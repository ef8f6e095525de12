"""Transactions that met another one in the database: tried again once, then told to the person as a conflict."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

from geo.errors import Conflict

_PAUSE_S: Final = 0.05

P = ParamSpec("P")
R = TypeVar("R")

_MET_ANOTHER: Final = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of a serialization failure, a deadlock, and a lock that could not be had."""

_TAKEN: Final = frozenset({"23505", "23P01"})
"""SQLSTATE of a broken unique or exclusion constraint: somebody else wrote the same a moment earlier."""


def in_one_transaction(write: Callable[P, R]) -> Callable[P, R]:
    """Run a write in a transaction of its own, a second time where the database broke it off for another's sake.

    Raises
    ------
    Conflict
        Where it was broken off twice, or what it writes has just been written by somebody else.
    """

    @wraps(write)
    def written(*args: P.args, **kwargs: P.kwargs) -> R:
        # Inside a transaction of the caller nothing can be tried again: what it did before is gone too.
        for is_last in (True,) if connection.in_atomic_block else (False, True):
            try:
                with transaction.atomic():
                    return write(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                state = getattr(error.__cause__, "sqlstate", None)
                if state in _MET_ANOTHER and not is_last:
                    time.sleep(_PAUSE_S)  # else the row just let go is taken back before the other can take it
                    continue
                if state not in _MET_ANOTHER | _TAKEN:
                    raise
                raise Conflict(
                    "Somebody else wrote to the same places at this moment.",
                    code="written_at_once",
                    remedy="Look at what they did, and try again.",
                ) from error
        raise AssertionError

    return written
