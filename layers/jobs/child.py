"""The process that reads one file, or stores it, and ends: ``python -m layers.jobs.child``.

It gets ready, waits for its task on standard input, and tells on standard output how far it is and what came of it, one JSON
object a line. What a hostile file can do to it ends with it: its memory, its seconds of processor, its open files and the size
of the files it writes are limited by the kernel, its temporary files lie in the upload's own folder, and it dies with the
worker that started it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TextIO

PROGRESS_S: Final = 0.25
_PR_SET_PDEATHSIG: Final = 1
_FULL: Final = (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
_OPEN_FILES: Final = 512
_WRITTEN_TIMES: Final = 8  # a file unpacked, tiled and put into another format


def main() -> int:
    """Get ready, take one task, and say what came of it."""
    parent = os.getppid()
    die_with_parent()
    if os.getppid() != parent:
        return 1
    # Whatever a library prints goes where the worker's own words go, not between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    import django

    django.setup()
    from layers.jobs import steps  # takes a second or two: here, before there is a task

    line = sys.stdin.readline()
    if not line:
        return 0  # not needed any more
    task = json.loads(line)
    limit(task["memory_bytes"], task["seconds"], task["written_bytes"] * _WRITTEN_TIMES)
    folder = Path(task["folder"]) / "work"
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["CPL_TMPDIR"] = str(folder)
    _tell(answers, outcome(lambda: steps.STEPS[task["step"]](task, _Teller(answers))))
    return 0


def outcome(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do the work and return what came of it, whatever that is.

    Returns
    -------
    dict
        One of ``result``, ``problem`` (of the person's file or wishes), ``exhausted`` (more ``memory`` or ``disk`` than there is for it),
        ``again`` (the database was away), ``bug``.
    """
    from django.db import InterfaceError, OperationalError

    from geo.errors import MahallehError

    try:
        return {"result": work()}
    except MahallehError as error:
        return {"problem": error.members() | {"status": error.status}}
    except MemoryError:
        return {"exhausted": "memory"}
    except (OperationalError, InterfaceError) as error:
        return {"again": str(error)[:500]}
    except OSError as error:
        return {"exhausted": "disk"} if error.errno in _FULL else {"bug": traceback.format_exc()}
    except Exception as error:  # noqa: BLE001 - nothing that a file does may end in silence
        return {"exhausted": "memory"} if "cannot allocate" in str(error).lower() else {"bug": traceback.format_exc()}


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def limit(memory_bytes: int, seconds: int, written_bytes: int) -> None:
    """Limit what this process may take from now on.

    Parameters
    ----------
    memory_bytes : int
        Address space beyond what the program itself has by now.
    seconds : int
        Of processor time, of all threads together on two cores.
    written_bytes : int
        Size of any file it writes.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    total = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (total, total))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * seconds, 2 * seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written_bytes, written_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing too much is then an error, with words


class _Teller:
    """Tells how far the work is, now and then."""

    def __init__(self, answers: TextIO) -> None:
        self._answers, self._told_at, self._step = answers, 0.0, ""
        self._lock = threading.Lock()

    def __call__(self, step: str, done: int, of: int) -> None:
        """Tell that of ``of`` rows, or bytes, ``done`` are done in a step; 0 where nobody knows how many there are."""
        with self._lock:
            now = time.monotonic()
            if step == self._step and now - self._told_at < PROGRESS_S:
                return
            self._told_at, self._step = now, step
            _tell(self._answers, {"progress": [step, int(done), int(of)]})


def _tell(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message, ensure_ascii=False, default=str) + "\n")
    answers.flush()


if __name__ == "__main__":
    raise SystemExit(main())
