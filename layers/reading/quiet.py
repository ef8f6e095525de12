"""GDAL's warnings kept from the terminal while files are read: what matters in them is found by the checks."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_before: list[warnings.catch_warnings[None]] = []


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore warnings within; threads may be in it at the same time, and the last one out restores what was before.

    The filters of warnings belong to the whole process: if each thread saved and restored them, one that leaves while
    another is still within would leave them switched off for good.
    """
    global _inside
    with _lock:
        _inside += 1
        if _inside == 1:
            filters: warnings.catch_warnings[None] = warnings.catch_warnings()
            filters.__enter__()
            warnings.simplefilter("ignore")
            _before.append(filters)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _before.pop().__exit__(None, None, None)
