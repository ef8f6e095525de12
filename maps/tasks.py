"""The jobs of the queue that word something: notices written, and sent by e-mail."""

from __future__ import annotations

from typing import Final

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from layers.services.uploads import QUEUE

NOTICES: Final = "maps.notices"

_AGAIN: Final = RetryStrategy(max_attempts=5, exponential_wait=4)


# Three minutes past each hour in Tehran, whose clocks are half an hour off: what is due at seven is told at seven.
@app.periodic(cron="33 * * * *")
@app.task(name=NOTICES, queue=QUEUE, queueing_lock=NOTICES, retry=_AGAIN)
def notices(timestamp: int) -> None:
    """Write what is due and send it; what the mail server does not take is tried again, and stays on the page."""
    from interventions.services import notices_write
    from maps.notices.mailing import notices_mail  # here, so that a worker that has sent nothing yet needs no pages

    notices_write()
    notices_mail()
