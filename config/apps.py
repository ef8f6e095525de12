"""The project's own app: wires the others, holds no models."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConfigConfig(AppConfig):
    """Carries the commands that serve and set up the whole project, and its system checks."""

    name = "config"
    default = True

    def ready(self) -> None:
        """Register the system checks."""
        from config import checks  # noqa: F401 - importing registers them


class AdminConfig(admin_apps.SimpleAdminConfig):
    """The admin, with the project's own site.

    What each app registers is read with the addresses: workers and commands, which show no pages, start a third faster.
    """

    default = False
    default_site = "config.admin.AdminSite"
