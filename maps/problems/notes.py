"""What was changed when a shape was mended."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("Heights or measures were dropped."),
    gettext_noop("Repaired: %(reason)s at %(x)s, %(y)s."),
    gettext_noop("Repaired: %(reason)s."),
    gettext_noop("Its area changed by %(change)s %%."),
)
