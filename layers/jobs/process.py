"""The worker's side of the processes that do its work: one waits ready, so that a file need not wait for a program to start."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

POLL_S: Final = 0.5
"""How often is looked whether the work is still wanted, and its progress is kept."""

Progress = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes
    ----------
    kind
        ``result``, ``problem``, ``exhausted``, ``again`` or ``bug`` as the process told it; ``unwanted`` where it was killed
        because nobody wants it any more, ``late`` because it took too long, ``died`` where it ended without a word.
    content
        What it told.
    """

    kind: str
    content: Any = None


@dataclass(slots=True)
class _Spare:
    """The process that waits ready."""

    process: subprocess.Popen[str] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_spare = _Spare()


def spare_start() -> None:
    """Start a process that waits for the next task."""
    with _spare.lock:
        if _spare.process is None or _spare.process.poll() is not None:
            _spare.process = _started()


def spare_stop() -> None:
    """End the process that waits."""
    with _spare.lock:
        if _spare.process is not None:
            _end(_spare.process)
            _spare.process = None


def done_apart(
    task: dict[str, Any], *, seconds: int, is_wanted: Callable[[Progress], bool], is_stopping: Callable[[], bool]
) -> Outcome:
    """Have a task done in a process of its own.

    Parameters
    ----------
    task : dict
        ``step``, ``folder`` and what the step needs.
    seconds : int
        After which it is killed.
    is_wanted : callable
        Is told how far it is, and tells whether it should go on; called every `POLL_S`.
    is_stopping : callable
        Whether the worker is to end.

    Returns
    -------
    Outcome
        What came of it; the process is gone then, whatever happened.
    """
    process = _taken()
    try:
        return _attended(process, task, seconds, is_wanted, is_stopping)
    finally:
        _end(process)
        spare_start()


def _attended(
    process: subprocess.Popen[str],
    task: dict[str, Any],
    seconds: int,
    is_wanted: Callable[[Progress], bool],
    is_stopping: Callable[[], bool],
) -> Outcome:
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(process, lines), daemon=True).start()
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
    except OSError:
        return Outcome("died", process.wait())
    ends_at, asked_at = time.monotonic() + seconds, time.monotonic()
    progress: Progress = ("", 0, 0)
    while True:
        try:
            line = lines.get(timeout=POLL_S / 2)
        except queue.Empty:
            line = ""
        if line is None:
            return _died(process)
        if line:
            try:
                (kind, content), *_ = json.loads(line).items()
            except ValueError:
                return Outcome("bug", f"The process said {line[:200]!r}.")
            if kind != "progress":
                return Outcome(kind, content)
            progress = (str(content[0]), int(content[1]), int(content[2]))
        now = time.monotonic()
        if is_stopping():
            return Outcome("stopping")
        if now > ends_at:
            return Outcome("late", seconds)
        if now - asked_at >= POLL_S:
            asked_at = now
            if not is_wanted(progress):
                return Outcome("unwanted")


def _died(process: subprocess.Popen[str]) -> Outcome:
    code = process.wait()
    return Outcome("late", "processor") if code == -signal.SIGXCPU else Outcome("died", code)


def _listen(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    try:
        for line in process.stdout or ():
            lines.put(line)
    except ValueError:  # closed meanwhile
        pass
    lines.put(None)


def _taken() -> subprocess.Popen[str]:
    with _spare.lock:
        waiting, _spare.process = _spare.process, None
    if waiting is not None and waiting.poll() is None:
        return waiting
    if waiting is not None:
        _end(waiting)
    return _started()


def _started() -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "MAHALLEH_SERVING"}
    return subprocess.Popen(
        [sys.executable, "-m", "layers.jobs.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=Path(settings.BASE_DIR),
        env=environment
        | {
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings"),
            "MALLOC_ARENA_MAX": "2",
            "OPENBLAS_NUM_THREADS": "1",
        },
        start_new_session=True,  # Ctrl-C is for the worker, which ends its processes itself
    )


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue
