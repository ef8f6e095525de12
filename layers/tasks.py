"""The jobs of the queue: files examined and stored; what a worker that died left behind is taken up again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import JobAborted

from layers.jobs.process import Outcome, Progress, done_apart
from layers.models import Upload
from layers.partitions import partitions_sweep
from layers.selectors import folder_of
from layers.services.rasters import raster_sweep
from layers.services.uploads import (
    EXAMINE,
    QUEUE,
    STORE,
    folder_remove,
    upload_begin,
    upload_examined,
    upload_failed,
    upload_progress,
    uploads_sweep,
)

logger = logging.getLogger("mahalleh")

HEARTBEAT_S: Final = 1.0
STALLED_S: Final = 5.0
"""A worker that has not been heard of for so long is dead, and its jobs are taken up again."""
MOST_TRIES: Final = 12
"""After so many deaths a file is believed to be their cause."""
MOST_CRASHES: Final = 3
JOBS_KEPT_H: Final = 24 * 7

_AGAIN: Final = RetryStrategy(max_attempts=MOST_TRIES, wait=1, linear_wait=1)


class WorkerStopsError(Exception):
    """The work was broken off and is to be done again."""


@app.task(name=EXAMINE, queue=QUEUE, pass_context=True, retry=_AGAIN)
def examine(context: JobContext, upload: str) -> None:
    """Examine an upload."""
    _done(context, UUID(upload), "examine", Upload.State.EXAMINING)


@app.task(name=STORE, queue=QUEUE, pass_context=True, retry=_AGAIN)
def store(context: JobContext, upload: str) -> None:
    """Store an upload."""
    _done(context, UUID(upload), "store", Upload.State.STORING)


@app.periodic(cron="17 * * * *")
@app.task(name="layers.sweep", queue=QUEUE, queueing_lock="layers.sweep")
def sweep(timestamp: int) -> None:
    """Remove what nobody needs any more."""
    uploads_sweep()
    raster_sweep()
    partitions_sweep()


def _done(context: JobContext, key: UUID, step: str, state: Upload.State) -> None:
    """Do a step of an upload in a process of its own."""
    job = int(context.job.id or 0)
    task = {
        "step": step,
        "upload": str(key),
        "job": job,
        "folder": str(folder_of(key)),
        "memory_bytes": settings.IMPORT_MEMORY_BYTES,
        "seconds": settings.IMPORT_SECONDS,
        "written_bytes": settings.UPLOAD_MAX_BYTES,
    }

    def is_wanted(progress: Progress) -> bool:
        return upload_progress(key, job, *progress)

    def apart(_: Upload) -> Outcome:
        return done_apart(task, seconds=settings.IMPORT_SECONDS, is_wanted=is_wanted, is_stopping=context.should_abort)

    outcome_keep(key, job, state, context.job.attempts, apart)


def outcome_keep(key: UUID, job: int, state: Upload.State, attempts: int, work: Callable[[Upload], Outcome]) -> None:
    """Have a step of an upload done, and keep what came of it; nothing where the upload does not wait for this job.

    Parameters
    ----------
    key : UUID
        The upload.
    job : int
        Of the queue.
    state : Upload.State
        What the upload is in meanwhile: ``examining`` or ``storing``.
    attempts : int
        How often the job was begun before.
    work : callable
        Does the step.

    Raises
    ------
    WorkerStopsError
        Where it has to be done again.
    JobAborted
        Where the worker is to end; then it is done again by the next.
    """
    upload = upload_begin(key, job, state)
    if upload is None:
        return
    if attempts >= MOST_TRIES:
        upload_failed(key, job, _gave_up(upload))
        return
    outcome = work(upload)
    match outcome.kind:
        case "result" if state == Upload.State.EXAMINING:
            upload_examined(key, job, outcome.content)
        case "result" | "unwanted":
            pass  # the transaction that stored it has said so
        case "problem":
            upload_failed(key, job, outcome.content)  # of one that was cancelled, nothing is kept
        case "exhausted":
            upload_failed(key, job, _too_large(upload) if outcome.content == "disk" else _too_heavy(upload))
        case "late":
            upload_failed(key, job, _too_slow(upload))
        case "stopping":
            raise JobAborted
        case "bug":
            logger.error("Upload %s could not be worked on:\n%s", key, outcome.content)
            upload_failed(key, job, _broke_down(upload))
        case "died" if attempts + 1 >= MOST_CRASHES:
            logger.error("The process for upload %s ended with %s.", key, outcome.content)
            upload_failed(key, job, _broke_down(upload))
        case _:
            raise WorkerStopsError(f"{outcome.kind}: {outcome.content}")
    _left_clean(key)


def _left_clean(key: UUID) -> None:
    """Leave no file of an upload that ended while it was worked on."""
    ended = (Upload.State.CANCELLED, Upload.State.STORED)
    if not Upload.objects.filter(pk=key).exclude(state__in=ended).exists():
        folder_remove(key)


# ---- what dead workers left


async def stalled_retry(own: int | None = None) -> int:
    """Put the jobs of dead workers back into the queue; return how many.

    Parameters
    ----------
    own : int, optional
        The worker that asks, whose own jobs are not stalled however late its heart beats.
    """
    stalled = [
        job
        for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED_S)
        if own is None or job.worker_id != own
    ]
    for job in stalled:
        logger.warning("Taking up job %s again, whose worker died.", job.id)
        await app.job_manager.retry_job(job)
    return len(stalled)


async def dropped_retry(own: int, running: Collection[int], suspects: Collection[int]) -> frozenset[int]:
    """Put back into the queue what a living worker began and does not work on: the database was away when it said so.

    Parameters
    ----------
    own : int
        The worker.
    running : collection of int
        The jobs it works on.
    suspects : collection of int
        What this returned the last time: a job is put back when it was seen twice, since it may just be beginning.

    Returns
    -------
    frozenset of int
        The jobs to look at again.
    """
    begun = await app.job_manager.list_jobs_async(queue=QUEUE, status="doing", worker_id=own)
    dropped = [job for job in begun if job.id is not None and job.id not in running]
    for job in dropped:
        if job.id in suspects:
            logger.warning("Taking up job %s again, which was lost when the database was away.", job.id)
            await app.job_manager.retry_job(job)
    return frozenset(int(job.id or 0) for job in dropped if job.id not in suspects)


def left_behind() -> int:
    """Have done again what an upload waits for but no job is left to do; return how many.

    A job can be lost between a worker's last word about it and the database's; uploads must not wait for ever.
    """
    from procrastinate.contrib.django.models import ProcrastinateJob

    waiting = Upload.objects.filter(
        state__in=(Upload.State.RECEIVED, Upload.State.EXAMINING, Upload.State.STORING), job__isnull=False
    )
    alive = ProcrastinateJob.objects.filter(status__in=("todo", "doing")).values("id")
    lost = waiting.exclude(job__in=alive).filter(updated_at__lt=timezone.now() - timedelta(seconds=STALLED_S))
    n = 0
    for upload in lost:
        problem = _broke_down(upload)
        n += upload_failed(upload.pk, int(upload.job or 0), problem)
    return n


# ---- why it failed


def _problem(upload: Upload, code: str, title: str, remedy: str, status: int = 400) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "where": upload.file_name,
        "remedy": remedy,
    }


def _too_heavy(upload: Upload) -> dict[str, Any]:
    return _problem(
        upload,
        "too_much_memory",
        f"Reading the file takes more than {settings.IMPORT_MEMORY_BYTES // 1_000_000:,} MB of memory.",
        "Split it by area, or leave out attributes that are not needed.",
        413,
    )


def _too_large(upload: Upload) -> dict[str, Any]:
    return _problem(
        upload,
        "too_much_disk",
        "What is in the file takes more room on the disk than there is for it.",
        "Split it by area, or leave out attributes that are not needed.",
        413,
    )


def _too_slow(upload: Upload) -> dict[str, Any]:
    return _problem(
        upload,
        "too_much_time",
        f"Reading the file takes more than {settings.IMPORT_SECONDS:,} seconds.",
        "Split it by area, or bring it in another format, such as GeoPackage.",
        413,
    )


def _broke_down(upload: Upload) -> dict[str, Any]:
    return _problem(
        upload,
        "reading_broke_down",
        "The program that reads files broke down at this one.",
        "Export the file again, in another format if that can be done; if it goes on, tell the administrator.",
    )


def _gave_up(upload: Upload) -> dict[str, Any]:
    return _problem(
        upload,
        "gave_up",
        f"The work on the file was broken off {MOST_TRIES} times.",
        "Try again later; if it goes on, tell the administrator.",
    )
