"""Admin of published maps: they stand or are withdrawn; what they show never changes."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from geo.admin.history import HistoryAdmin
from maps.models import Publication
from maps.published.services import publication_restore, publication_withdraw


@admin.register(Publication)
class PublicationAdmin(HistoryAdmin):
    """Published maps."""

    list_display = ("slug", "title_fa", "city", "measure", "published_at", "withdrawn_at", "author")
    list_filter = ("measure", ("withdrawn_at", admin.EmptyFieldListFilter), ("city", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("city", "author")
    search_fields = ("slug", "title_fa", "title_en", "city__search_name")
    date_hierarchy = "published_at"
    fields = (
        "slug",
        "title_fa",
        "title_en",
        "city",
        "run",
        "measure",
        "service_code",
        "author",
        "published_at",
        "withdrawn_at",
        "withdrawn_by",
    )
    actions = ("withdraw", "restore")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publication]:
        """Leave the frozen pages out of lists."""
        found: QuerySet[Publication] = super().get_queryset(request)
        return found.defer(*Publication.HEAVY)

    @admin.action(description=_("Withdraw selected maps"), permissions=["view"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Publication]) -> None:
        """Take them from public view; they stay on record."""
        standing = list(queryset.filter(withdrawn_at__isnull=True))
        for publication in standing:
            publication_withdraw(publication, by=request.user)
        self.message_user(request, _("%(n)s maps are withdrawn now.") % {"n": len(standing)})

    @admin.action(description=_("Put selected maps back"), permissions=["view"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Publication]) -> None:
        """Show withdrawn maps to the public again."""
        withdrawn = list(queryset.filter(withdrawn_at__isnull=False))
        for publication in withdrawn:
            publication_restore(publication, by=request.user)
        self.message_user(request, _("%(n)s maps are public again.") % {"n": len(withdrawn)})
