"""Places and their boundaries."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GeoConfig(AppConfig):
    """Configuration of the app of places."""

    name = "geo"
    verbose_name = _("Places")
