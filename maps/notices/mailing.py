"""What was not read is sent by e-mail: one mail for each person and run, in their language."""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import ngettext, override

from interventions.core.reminders import TEHRAN
from interventions.models import Notice
from interventions.selectors.notices import mail_language, notice_rows
from maps.notices.presenters import notice_view
from maps.pages import formats

logger = logging.getLogger("mahalleh")

KEPT_DAYS: Final = 3
"""What could not be sent for so long is not sent any more: it is read on the page."""
HOURS: Final = range(7, 21)
"""Hours of the day in Tehran in which mails are sent."""
MOST_IN_A_MAIL: Final = 30


class MailAwayError(Exception):
    """The mail server does not take mails now; what is left is sent by a later run."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """What a run has sent: mails, the notices in them, and people whose address was refused."""

    mails: int = 0
    notices: int = 0
    refused: int = 0


def notices_mail(at: datetime | None = None) -> Mailed:
    """Send everybody what they have not read and were not sent; nothing where no mail server is set, or in the night.

    A mail is sent before that is stored: a run that is broken off between the two sends one mail again, under the same Message-ID.

    Raises
    ------
    MailAwayError
        Where the server cannot be reached, or takes nothing.
    """
    moment = at or timezone.now()
    if not settings.EMAIL_HOST or moment.astimezone(TEHRAN).hour not in HOURS:
        return Mailed()
    mails = told = refused = 0
    people = list(get_user_model().objects.filter(pk__in=_pending(moment).values("user")).order_by("pk"))
    if not people:
        return Mailed()
    connection = get_connection()
    try:
        connection.open()
        for person in people:
            try:
                n = _send(person, moment, connection)
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError) as error:
                # One address that is refused keeps nobody else from being told.
                logger.warning("A mail to user %s was refused: %s", person.pk, type(error).__name__)
                refused += 1
                _again(connection)
            else:
                mails += n > 0
                told += n
    except (OSError, smtplib.SMTPException) as error:
        raise MailAwayError(f"{type(error).__name__}: {error}") from error
    finally:
        _closed(connection)
    return Mailed(mails, told, refused)


def _pending(at: datetime) -> Any:
    return (
        Notice.objects.unread()
        .filter(
            Q(user__mail_choice__isnull=True) | ~Q(user__mail_choice__language=""),
            mailed_at__isnull=True,
            created_at__gt=at - timedelta(days=KEPT_DAYS),
            created_at__lte=at,
            user__is_active=True,
        )
        .exclude(user__email="")
    )


def _send(person: AbstractUser, at: datetime, connection: Any) -> int:
    """Send somebody's notices in one mail, and return how many; none where another run is sending them."""
    with transaction.atomic():
        pending = _pending(at).filter(user=person).values("pk")
        rows = Notice.objects.select_for_update(skip_locked=True).filter(pk__in=pending, mailed_at__isnull=True)
        locked = list(rows.order_by("-pk"))
        shown = [row for row in notice_rows(locked, person) if row.is_shown]
        if not shown:
            return 0
        _message(person, shown, at, connection).send()
        Notice.objects.filter(pk__in=[row.pk for row in shown]).update(mailed_at=at)
    return len(shown)


def _message(person: AbstractUser, rows: list[Any], at: datetime, connection: Any) -> EmailMultiAlternatives:
    lang = "en" if mail_language(person) == "en" else "fa"
    with override(lang):
        views = [notice_view(row, at) for row in rows[:MOST_IN_A_MAIL]]
        n = formats.number(len(rows), lang)
        subject = ngettext("Mahalleh: %(n)s notice for you", "Mahalleh: %(n)s notices for you", len(rows)) % {"n": n}
        context = {
            "views": views,
            "more": len(rows) - len(views),
            "site": settings.SITE_URL.rstrip("/"),
            "lang": lang,
            "is_persian": lang == "fa",
            "subject": subject,
        }
        text = render_to_string("maps/notices/mail.txt", context)
        html = render_to_string("maps/notices/mail.html", context)
    # The same notices make the same number, by which a mail that is sent twice is known as one.
    told = sha256(",".join(str(row.pk) for row in rows).encode()).hexdigest()[:32]
    mail = EmailMultiAlternatives(
        subject,
        text,
        to=[str(Address(person.get_full_name(), addr_spec=person.email))],
        headers={
            "Message-ID": f"<{told}.{person.pk}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=connection,
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _again(connection: Any) -> None:
    """Begin the conversation with the server anew, as a refusal may have left it in the midst."""
    _closed(connection)
    connection.open()


def _closed(connection: Any) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        logger.debug("The mail server went away before it was left.")


__all__ = ["HOURS", "KEPT_DAYS", "MailAwayError", "Mailed", "notices_mail"]
