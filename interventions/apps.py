"""Needs, proposals, decisions, actions and outcomes."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InterventionsConfig(AppConfig):
    """Configuration of the app of interventions."""

    name = "interventions"
    verbose_name = _("Interventions")
