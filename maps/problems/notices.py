"""Notices."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("“%(value)s” is no number of a notice."),
    gettext_noop("Choose one from the list of notices."),
    gettext_noop("No notice is named."),
    gettext_noop("Name one, or until which all are read."),
    gettext_noop("“%(value)s” is no choice of e-mail."),
    gettext_noop("Notices are sent to people with an account."),
)
