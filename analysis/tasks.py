"""The jobs of the queue that compute something for a person who waits."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from layers.services.uploads import QUEUE

SITE: Final = "analysis.site"

_AGAIN: Final = RetryStrategy(max_attempts=3, wait=1)


@app.task(name=SITE, queue=QUEUE, pass_context=True, retry=_AGAIN)
def site(context: JobContext, order: str) -> None:
    """Compute a plan of new facilities."""
    from analysis.siting.orders import order_work  # here: jobs are read by every command that starts

    order_work(UUID(order), int(context.job.id or 0))
