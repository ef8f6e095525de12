"""Arrays kept in memory under the hash of what they were computed from, up to a number of bytes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse


def content_key(*parts: Any) -> str:
    """Return the hash of JSON-safe parts: equal content, equal key, in any process.

    Examples
    --------
    >>> content_key("fractions", {"b": 1, "a": 2}) == content_key("fractions", {"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def size_bytes(value: Any) -> int:
    """Return roughly how many bytes an array, a sparse matrix, a text, or a tuple or object of them holds."""
    if isinstance(value, np.ndarray):
        # An array of objects holds their addresses; a geometry takes about half a kilobyte besides.
        return int(value.nbytes) + (512 * value.size if value.dtype == object else 0)
    if sparse.issparse(value):
        return int(value.data.nbytes + value.indices.nbytes + value.indptr.nbytes)
    if isinstance(value, (bytes, str)):
        return len(value)
    if isinstance(value, dict):
        return sum(size_bytes(key) + size_bytes(item) for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return sum(size_bytes(item) for item in value)
    if hasattr(value, "__dataclass_fields__"):
        return sum(size_bytes(getattr(value, name)) for name in value.__dataclass_fields__)
    return 64


class ArrayCache:
    """A thread-safe store that forgets what was used longest ago when it holds too many bytes.

    Two threads that miss the same key at once compute it once: the second waits for the first.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Lock] = {}

    def get(self, key: str, compute: Callable[[], Any]) -> Any:
        """Return the value of a key, computing and keeping it where it is missing."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
                return self._items[key][0]
            gate = self._under_way.setdefault(key, threading.Lock())
        with gate:
            with self._lock:
                if key in self._items:
                    return self._items[key][0]
            try:
                value = compute()
                self._keep(key, value)
            finally:
                with self._lock:
                    self._under_way.pop(key, None)
        return value

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._items

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._total = 0

    def _keep(self, key: str, value: Any) -> None:
        size = size_bytes(value)
        with self._lock:
            self._total += size - self._items.pop(key, (None, 0))[1]
            self._items[key] = (value, size)
            while self._total > self._max_bytes and len(self._items) > 1:
                _, (_, dropped) = self._items.popitem(last=False)
                self._total -= dropped


arrays = ArrayCache(max_bytes=2_000_000_000)
"""The arrays of this process, and columns of results."""

supposed = ArrayCache(max_bytes=400_000_000)
"""What was computed for scenarios, apart from the other arrays: dragging a facility about shall not push those out."""


def caches_clear() -> None:
    """Forget all arrays; the next analysis computes them anew."""
    arrays.clear()
    supposed.clear()
