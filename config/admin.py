"""The admin site, in the project's name."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from geo.querysets import is_administrator


class AdminSite(admin.AdminSite):
    """Django's admin under the project's name; only administrators enter."""

    site_header = _("Mahalleh administration")
    site_title = _("Mahalleh")
    index_title = _("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in administrators alone: the admin shows everything, unpublished places too."""
        return is_administrator(request.user)
