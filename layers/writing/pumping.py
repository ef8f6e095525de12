"""Work in a second thread that is fed from this one: the database is read here, where its connection belongs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sized
from typing import Any, Final, TypeVar

Item = TypeVar("Item", bound=Sized)
Result = TypeVar("Result")

_WAITING: Final = 2
"""Batches that may wait: one is being written, one is ready, one is being read."""
_LOOK_S: Final = 0.25


class AbandonedError(Exception):
    """Nobody wants the result any more."""


def pumped(items: Iterator[Item], work: Callable[[Iterator[Item]], Result]) -> Generator[int, None, Result]:
    """Run `work` on items in a thread, yielding how many rows were handed over so far, at least four times a second.

    Raises what `work` or the items raise. Where the generator is closed, the thread is told so and waited for: when this
    returns, nothing of it runs any more.
    """
    waiting: queue.Queue[Any] = queue.Queue(_WAITING)
    end = object()
    answer: list[Result] = []
    failure: list[BaseException] = []
    given_up = threading.Event()

    def fed() -> Iterator[Item]:
        while (item := waiting.get()) is not end:
            if given_up.is_set():
                raise AbandonedError
            yield item
        if given_up.is_set():
            raise AbandonedError

    def run() -> None:
        try:
            answer.append(work(fed()))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            failure.append(error)

    thread = threading.Thread(target=run, name="export", daemon=True)
    thread.start()
    done = 0
    try:
        for item in items:
            while thread.is_alive():
                try:
                    waiting.put(item, timeout=_LOOK_S)
                    break
                except queue.Full:
                    yield done
            if failure:
                raise failure[0]
            done += len(item)
            yield done
        yield from _put(waiting, end, thread, done)
        while thread.is_alive():
            thread.join(_LOOK_S)
            yield done
        if failure:
            raise failure[0]
        return answer[0]
    finally:
        if thread.is_alive():
            given_up.set()
            while thread.is_alive():
                try:
                    waiting.get_nowait()
                except queue.Empty:
                    waiting.put(end)
                thread.join(0.01)


def _put(waiting: queue.Queue[Any], item: Any, thread: threading.Thread, done: int) -> Generator[int, None, None]:
    while thread.is_alive():
        try:
            waiting.put(item, timeout=_LOOK_S)
            return
        except queue.Full:
            yield done
