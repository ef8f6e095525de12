"""Administration of the network. States change by the services alone, here as everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.gis.db.models import PointField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from geo.errors import MahallehError
from interventions.models import Committee, Need, Organisation, Phase, Programme, Proposal, Round, Sector
from interventions.services import need_review, round_close


@admin.register(Sector)
class SectorAdmin(admin.ModelAdmin):
    """Sectors."""

    list_display = ("code", "name_fa", "name_en", "position")
    search_fields = ("code", "name_fa", "name_en")


@admin.register(Committee)
class CommitteeAdmin(admin.ModelAdmin):
    """Committees of a province."""

    list_display = ("code", "name_fa", "name_en", "place")
    list_select_related = ("place",)
    raw_id_fields = ("place",)
    filter_horizontal = ("sectors",)


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    """Organisations."""

    list_display = ("name_fa", "name_en", "kind", "place")
    list_filter = ("kind",)
    list_select_related = ("place",)
    raw_id_fields = ("place",)
    search_fields = ("code", "name_fa", "name_en")


@admin.register(Programme)
class ProgrammeAdmin(admin.ModelAdmin):
    """Programmes."""

    list_display = ("code", "name_fa", "name_en", "place")
    list_select_related = ("place",)
    raw_id_fields = ("place",)


class PhaseInline(admin.TabularInline):
    """The phases of a round."""

    model = Phase
    extra = 0


@admin.register(Round)
class RoundAdmin(admin.ModelAdmin):
    """Rounds."""

    list_display = ("name_fa", "number", "place", "state", "opened_at", "closed_at")
    list_filter = ("state",)
    list_select_related = ("place",)
    raw_id_fields = ("programme", "place")
    readonly_fields = ("state", "closed_at")
    inlines = (PhaseInline,)
    actions = ("close",)

    @admin.action(description=_("Close the selected rounds"))
    def close(self, request: HttpRequest, queryset: QuerySet[Round]) -> None:
        """Close rounds."""
        _each(self, request, queryset, lambda found: round_close(user=request.user, round_=found))


@admin.register(Need)
class NeedAdmin(admin.ModelAdmin):
    """Needs."""

    list_display = ("text", "place", "sector", "severity", "people_affected", "state", "reported_at")
    list_filter = ("state", "approach", "sector")
    list_select_related = ("place", "sector")
    raw_id_fields = ("round", "place", "organisation")
    readonly_fields = ("state", "merged_into", "reporter")
    search_fields = ("text_fa", "text_en", "place__search_name")
    actions = ("confirm", "reject")
    # Django's own map widget loads its script and tiles from other hosts.
    formfield_overrides = {PointField: {"widget": forms.TextInput}}

    @admin.action(description=_("Confirm the selected needs"))
    def confirm(self, request: HttpRequest, queryset: QuerySet[Need]) -> None:
        """Confirm needs."""
        _each(self, request, queryset, lambda need: need_review(user=request.user, need=need, event="confirm"))

    @admin.action(description=_("Reject the selected needs"))
    def reject(self, request: HttpRequest, queryset: QuerySet[Need]) -> None:
        """Reject needs."""
        _each(self, request, queryset, lambda need: need_review(user=request.user, need=need, event="reject"))


@admin.register(Proposal)
class ProposalAdmin(admin.ModelAdmin):
    """Proposals."""

    list_display = ("title", "organisation", "cost_irr", "state", "submitted_at")
    list_filter = ("state",)
    list_select_related = ("organisation",)
    raw_id_fields = ("round", "organisation", "needs")
    readonly_fields = ("state", "submitted_at")
    search_fields = ("title_fa", "title_en")


def _each(
    site: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Any], change: Callable[[Any], object]
) -> None:
    """Change each row by itself; those that cannot be changed are told with the reason, the others are done."""
    done = 0
    for row in queryset:
        try:
            change(row)
        except MahallehError as error:
            site.message_user(request, f"{row}: {error}", messages.ERROR)
        else:
            done += 1
    if done:
        site.message_user(request, ngettext("%(done)d row changed.", "%(done)d rows changed.", done) % {"done": done})
