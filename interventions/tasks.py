"""The jobs of the queue that belong to the network: overlaps looked for when something is undertaken."""

from __future__ import annotations

from typing import Final

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from layers.services.uploads import QUEUE

OVERLAPS: Final = "interventions.overlaps"
"""The job that tells others of a proposal or an action that does the like of theirs."""

_AGAIN: Final = RetryStrategy(max_attempts=5, exponential_wait=4)


@app.task(name=OVERLAPS, queue=QUEUE, retry=_AGAIN)
def overlaps(kind: str, number: int) -> None:
    """Tell others of a proposal or an action that does the like of theirs."""
    from interventions.services.notices import overlaps_tell  # here: jobs are read by every command that starts

    overlaps_tell(kind, number)
