"""``manage.py work``: examine and store the files that people bring, until stopped."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import logging
import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import BaseCommand
from django.db import Error as DatabaseAnyError
from django.db import close_old_connections
from procrastinate.contrib.django import app
from procrastinate.exceptions import ProcrastinateException
from procrastinate.worker import Worker

from layers.jobs.process import spare_start, spare_stop
from layers.services.uploads import QUEUE, uploads_sweep
from layers.tasks import HEARTBEAT_S, JOBS_KEPT_H, STALLED_S, dropped_retry, left_behind, stalled_retry

logger = logging.getLogger("mahalleh")

_GRACE_S = 2.0
_TICK_S = 0.2
_LONGEST_WAIT_S = 15.0
_PR_SET_PDEATHSIG = 1


class Command(BaseCommand):
    help = "Examine and store the files that people bring, until stopped. `manage.py serve` runs one by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--jobs", type=int, default=settings.WORKER_JOBS, help="files at a time")
        parser.add_argument("--until-idle", action="store_true", help="end when there is nothing left to do")
        parser.add_argument("--with-parent", action="store_true", help="end when the program that started this ends")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["with_parent"]:
            _end_with_parent()
        pid_file = settings.VAR_DIR / "worker.pid"
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        pid_file.write_text(str(os.getpid()))
        stop = _Stop()
        faulthandler.register(signal.SIGUSR1)  # says on standard error where every thread is
        spare_start()
        try:
            if options["until_idle"]:
                _work(options["jobs"], stop, waits=False)
            else:
                _work_on(options["jobs"], stop)
        finally:
            spare_stop()
            with suppress(OSError, ValueError):
                if int(pid_file.read_text()) == os.getpid():
                    pid_file.unlink()


class _Stop:
    """Whether somebody asked for the end, also between two tries when no worker listens to signals."""

    def __init__(self) -> None:
        self.is_asked = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask)

    def _ask(self, *_: object) -> None:
        self.is_asked = True


def _work_on(jobs: int, stop: _Stop) -> None:
    """Work until stopped; when the database is away, try again, ever more patiently."""
    wait_s = 0.5
    while not stop.is_asked:
        began = time.monotonic()
        spare_start()
        try:
            _work(jobs, stop)
        except (ProcrastinateException, DatabaseAnyError, OSError) as error:
            logger.warning("The worker lost the database: %s", str(error).strip() or type(error).__name__)
        if stop.is_asked:
            break
        wait_s = 0.5 if time.monotonic() - began > 2 * _LONGEST_WAIT_S else min(2 * wait_s, _LONGEST_WAIT_S)
        until = time.monotonic() + wait_s
        while time.monotonic() < until and not stop.is_asked:
            time.sleep(0.1)


def _work(jobs: int, stop: _Stop, *, waits: bool = True) -> None:
    close_old_connections()
    uploads_sweep()
    left_behind()
    close_old_connections()
    with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined]
        asyncio.run(_worked(jobs, stop, waits))


async def _worked(jobs: int, stop: _Stop, waits: bool) -> None:
    async with app.open_async():
        how: dict[str, Any] = {
            **app.worker_defaults,
            "queues": [QUEUE],
            "name": "layers",
            "concurrency": jobs,
            "wait": waits,
            "fetch_job_polling_interval": 1.0,
            "abort_job_polling_interval": 2.0,
            "shutdown_graceful_timeout": _GRACE_S,
            "install_signal_handlers": False,  # ours know an end that was asked for from a lost database
            "update_heartbeat_interval": HEARTBEAT_S,
            "stalled_worker_timeout": STALLED_S,
        }
        worker = Worker(app, **how)
        await stalled_retry()
        is_over = asyncio.Event()
        watch = asyncio.create_task(_watched(worker, stop, is_over))
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        finally:
            is_over.set()  # not cancelled: a cancellation can be lost in a pool whose database is away
            await watch


async def _watched(worker: Worker, stop: _Stop, is_over: asyncio.Event) -> None:
    """End the worker when that is asked for; take up what others left when they died; remove old jobs now and then."""
    tick, suspects = 0, frozenset[int]()
    while not is_over.is_set():
        await asyncio.sleep(_TICK_S)
        tick += 1
        if stop.is_asked:
            worker.stop()  # type: ignore[no-untyped-call]
            return
        try:
            if tick % 5 == 0:
                await app.job_manager.prune_stalled_workers(4 * STALLED_S)
                await stalled_retry(worker.worker_id)
                if worker.worker_id is not None:
                    running = [int(context.job.id or 0) for context in worker._running_jobs.values()]
                    suspects = await dropped_retry(worker.worker_id, running, suspects)
            if tick % 150 == 0:
                await sync_to_async(_with_fresh_connection(left_behind), thread_sensitive=False)()
            if tick % 15_000 == 1:
                await app.job_manager.delete_old_jobs(
                    nb_hours=JOBS_KEPT_H, queue=QUEUE, include_failed=True, include_cancelled=True, include_aborted=True
                )
        except (ProcrastinateException, DatabaseAnyError, OSError) as error:
            logger.warning("Dead workers could not be looked for: %s", error)


def _with_fresh_connection(work: Callable[[], object]) -> Callable[[], object]:
    def done() -> object:
        close_old_connections()
        try:
            return work()
        finally:
            close_old_connections()

    return done


def _end_with_parent() -> None:
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
