"""Everything a person or a map client sees."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MapsConfig(AppConfig):
    """Configuration of the app of pages, tiles and published maps."""

    name = "maps"
    verbose_name = _("Maps")
