"""Admins of records that are never changed afterwards: shown, searched, not edited and not deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class HistoryAdmin(admin.ModelAdmin):
    """A model whose rows are history."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: such rows come from imports and computations."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class NoBulkDelete(admin.ModelAdmin):
    """A model whose rows are deleted one at a time, after seeing what hangs on them."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions without that of deleting many."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
