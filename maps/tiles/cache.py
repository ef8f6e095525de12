"""Finished tiles on disk, named by what they were drawn from, so that none can ever be out of date.

Who may see a tile is decided before it is looked for. The name holds all that the bytes depend on; what the file holds is checked
against a digest of its own, so that a file cut short is drawn again. Above a number of bytes the oldest files go.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings

MOST_BYTES: Final = 2_000_000_000
"""The most that finished tiles take, unless the setting ``TILE_CACHE_BYTES`` says otherwise."""

_DIGEST: Final = 16
_LEVEL: Final = 2
_lock = threading.Lock()
_written: dict[Path, int] = {}


def cached(parts: tuple[str, ...], draw: Callable[[], bytes], *, is_packed: bool = True) -> bytes:
    """Return a tile, drawn where it is not kept; empty where nothing lies in it.

    Parameters
    ----------
    parts : tuple of str
        All that the tile depends on, without exception.
    draw : callable
        Gives the tile.
    is_packed : bool
        Whether it is packed with gzip; images are small as they are.
    """
    name = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    file = folder() / name[:2] / name[2:40]
    found = _read(file)
    if found is None:
        drawn = draw()
        found = gzip.compress(drawn, _LEVEL, mtime=0) if drawn and is_packed else drawn
        _keep(file, found)
    return found


def folder() -> Path:
    """Return where the tiles are."""
    return Path(settings.CACHE_DIR) / "tiles"


def _read(file: Path) -> bytes | None:
    try:
        content = file.read_bytes()
    except OSError:
        return None
    data = content[_DIGEST:]
    return data if content[:_DIGEST] == _digest(data) else None


def _keep(file: Path, data: bytes) -> None:
    """Keep a tile; a full or read-only disk is no reason not to answer it."""
    with suppress(OSError):
        _put(file, _digest(data) + data)
        with _lock:
            root = folder()
            _written[root] = _written.get(root, _least_swept()) + len(data) + _DIGEST
            is_due = _written[root] >= _least_swept()
            if is_due:
                _written[root] = 0
        if is_due:
            sweep()


def keep_file(file: Path, table: Any) -> None:
    """Keep an array as a file, whole or not at all."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=file.parent, prefix=".part-")
        with os.fdopen(handle, "wb") as opened:
            np.save(opened, table)
        Path(part).replace(file)


def sweep() -> int:
    """Remove the tiles kept first until they take nine tenths of what they may; return how many went."""
    files = []
    for file in folder().glob("*/*"):
        with suppress(OSError):
            state = file.stat()
            files.append((state.st_mtime_ns, state.st_size, file))
    total, removed = sum(size for _, size, _ in files), 0
    if total <= _most_bytes():
        return 0
    for _, size, file in sorted(files):
        if total <= 0.9 * _most_bytes():
            break
        file.unlink(missing_ok=True)
        total, removed = total - size, removed + 1
    return removed


def _most_bytes() -> int:
    return int(getattr(settings, "TILE_CACHE_BYTES", MOST_BYTES))


def _least_swept() -> int:
    """Return after how many new bytes the folder is looked through again; the first tile of a process looks too."""
    return max(_most_bytes() // 20, 1)


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
    Path(part).replace(file)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()
