"""The admin site, in the project's name."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class AdminSite(admin.AdminSite):
    """Django's admin under the project's name; only administrators enter."""

    site_header = _("Mahalleh administration")
    site_title = _("Mahalleh")
    index_title = _("Administration")
