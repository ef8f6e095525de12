"""GDAL as other people have it, in a process of its own: the one of the service knows fewer formats and no network, and is to."""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import geopandas
import pyogrio

from layers.reading.gdal_options import OPTIONS

_CHILD = """
import pickle, sys
import pyogrio
while True:
    name, arguments, options = pickle.load(sys.stdin.buffer)
    try:
        told = True, getattr(pyogrio, name)(*arguments, **options)
    except Exception as error:
        told = False, (type(error).__name__, str(error))
    pickle.dump(told, sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""


def environment() -> dict[str, str]:
    """Return the environment without what the service forbids its own GDAL."""
    return {name: value for name, value in os.environ.items() if name not in OPTIONS}


@cache
def _child() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "ignore", "-c", _CHILD]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    atexit.register(process.kill)
    return process


def _called(name: str, *arguments: Any, **options: Any) -> Any:
    child = _child()
    assert child.stdin is not None
    assert child.stdout is not None
    pickle.dump((name, arguments, options), child.stdin)
    child.stdin.flush()
    is_well, told = pickle.load(child.stdout)  # noqa: S301 - from our own child
    if is_well:
        return told
    kind, message = told
    raise getattr(pyogrio.errors, kind, RuntimeError)(message)


class Outside:
    """The functions of pyogrio, run there; arguments and results must be such as can be pickled."""

    errors = pyogrio.errors

    def __getattr__(self, name: str) -> Any:
        return partial(_called, name)


outside = Outside()


def read_tile(file: Path, **options: Any) -> tuple[list[str], geopandas.GeoDataFrame]:
    """Return the names of a tile's layers, and the features of the first in Web Mercator metres."""
    names = [str(name) for name, _ in outside.list_layers(file)]
    return names, outside.read_dataframe(file, layer=names[0], **options)
