"""Analyses: coverage, priority, overlay."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysisConfig(AppConfig):
    """Configuration of the app of analyses."""

    name = "analysis"
    verbose_name = _("Analysis")
