"""Tasks done by processes of this machine: one that dies is replaced, and its task is given to the next."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from analysis.national.worker import Task

TRIES: Final = 3
"""How often a task is begun whose process dies."""
_PAUSES_S: Final = (1.0, 3.0, 10.0)
"""How long a database that is away is waited for, each time."""
_ROOT: Final = Path(__file__).resolve().parent.parent.parent

Answer = dict[str, Any]
Waiting = queue.SimpleQueue[tuple[Task, int]]
"""Tasks, each with the number of this try."""


def done_by_processes(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Answer]]:
    """Have tasks done by so many processes; give each with its answer, in the order in which they come.

    Where the caller stops in between, by an error or Ctrl-C too, the processes are killed: what they have not recorded is
    undone by the database.
    """
    waiting: Waiting = queue.SimpleQueue()
    for task in tasks:
        waiting.put((task, 1))
    answers: queue.SimpleQueue[tuple[Task, Answer]] = queue.SimpleQueue()
    hands = [_Hand(waiting, answers) for _ in range(min(workers, len(tasks)))]
    try:
        for hand in hands:
            hand.start()
        for _ in tasks:
            yield answers.get()
    finally:
        for hand in hands:
            hand.stop()
        for hand in hands:
            hand.join()


class _Hand(threading.Thread):
    """Gives one process after another task; the kernel ends the process with this thread."""

    def __init__(self, waiting: Waiting, answers: queue.SimpleQueue[tuple[Task, Answer]]) -> None:
        super().__init__(daemon=True)
        self._waiting, self._answers = waiting, answers
        self._process: subprocess.Popen[str] | None = None
        self._is_over = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        while not self._is_over.is_set():
            try:
                task, tries = self._waiting.get_nowait()
            except queue.Empty:
                break
            answer = self._asked(task)
            for pause_s in _PAUSES_S:
                if answer["state"] != "again" or self._is_over.wait(pause_s):
                    break
                answer = self._asked(task)
            if answer["state"] == "died" and tries < TRIES:
                self._waiting.put((task, tries + 1))  # after the others: by then there may be more memory
                continue
            self._answers.put((task, answer | {"state": "problem"} if answer["state"] == "died" else answer))
        self._end()

    def stop(self) -> None:
        """Kill the process, if one is at work."""
        self._is_over.set()
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _asked(self, task: Task) -> Answer:
        line = ""
        try:
            process = self._running()
            if process.stdin is not None and process.stdout is not None:
                process.stdin.write(json.dumps(task) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
        except OSError:
            pass  # it is dead, or there is no memory for it
        if line.endswith("\n"):
            answer: Answer = json.loads(line)
            return answer
        code = self._end()
        title = f"The process that computed the city ended {TRIES} times (status {code})."
        return {"state": "died", "problem": {
            "title": title, "code": "worker_died", "remedy": "Where memory ran out, have fewer workers: --workers 1.",
        }}  # fmt: skip

    def _running(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "analysis.national.worker"],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=_ROOT,
                    env=worker_environment(),
                    start_new_session=True,  # Ctrl-C is for who orders the work
                )  # fmt: skip
                if self._is_over.is_set():
                    self._process.kill()
            return self._process

    def _end(self) -> int:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        return process.wait()


def worker_environment() -> dict[str, str]:
    """Return the environment of a process that computes cities: a thread each, as there are as many processes as processors."""
    kept = {name: value for name, value in os.environ.items() if name != "MAHALLEH_SERVING"}
    one = dict.fromkeys(("MAHALLEH_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    return {"DJANGO_SETTINGS_MODULE": "config.settings"} | kept | one | {"MALLOC_ARENA_MAX": "2"}
