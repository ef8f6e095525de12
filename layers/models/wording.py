"""What several models share: a name in two languages, and where something comes from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Named(models.Model):
    """A Persian and an English name."""

    name_fa = models.CharField(_("Persian name"), max_length=200)
    name_en = models.CharField(_("English name"), max_length=200)

    class Meta:
        abstract = True

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa


class Sourced(models.Model):
    """Where something comes from, in the words of the source and in Persian."""

    source_fa = models.CharField(
        _("source in Persian"), max_length=400, blank=True, help_text=_("Shown on Persian pages; the source if empty.")
    )

    class Meta:
        abstract = True

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        source: str = self.source  # type: ignore[attr-defined]
        return source if get_language() == "en" else self.source_fa or source
