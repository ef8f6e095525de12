"""What goes on in the process while files are read and does not help: GDAL's warnings, and looking for garbage."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

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


@contextmanager
def settled() -> Iterator[None]:
    """Let the collector of garbage pass over all objects that are there already.

    Each geometry that is made is counted as a reason to look through them again, which takes longer than to make it.
    Where they are passed over for good, as in the web server, nothing changes.
    """
    if _is_settled_for_good():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@cache
def _is_settled_for_good() -> bool:
    """Tell whether objects were passed over before the first file was read; asked once, as Python counts them one by one."""
    return gc.get_freeze_count() > 0
