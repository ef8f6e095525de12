"""Layers of data about a city."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LayersConfig(AppConfig):
    """Configuration of the app of layers."""

    name = "layers"
    verbose_name = _("Layers")
