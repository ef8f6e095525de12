"""``manage.py notices``: write the notices that are due, and send them by e-mail."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from interventions.services import notices_write
from maps.notices.mailing import MailAwayError, notices_mail


class Command(BaseCommand):
    help = (
        "Write reminders, digests and escalations that are due, and send them by e-mail; the worker does so every hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", help="as of this moment, such as 2026-12-21T07:00:00+03:30")
        parser.add_argument("--json", action="store_true", help="say in JSON what was done")

    def handle(self, *args: Any, **options: Any) -> None:
        at = _moment(options["at"])
        written = notices_write(at)
        try:
            mailed = notices_mail(at)
        except MailAwayError as error:
            raise CommandError(f"The notices are written, but the mail server takes none: {error}") from None
        if options["json"]:
            self.stdout.write(json.dumps({"written": asdict(written), "mailed": asdict(mailed)}))
            return
        self.stdout.write(
            f"{written.total} new: {written.reminders} reminders, {written.escalations} escalations, {written.digests} digests. "
            f"{mailed.mails} mails with {mailed.notices} notices; {mailed.refused} refused."
        )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no moment; write it as 2026-12-21T07:00:00+03:30.") from None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
