"""Administration of the network. States change by the services alone, here as everywhere; what is changed here is logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.gis.db.models import GeometryField
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from geo.errors import MahallehError
from interventions.core.transitions import NEW
from interventions.models import (
    Action,
    Activation,
    Admission,
    Assessment,
    Capacity,
    Committee,
    Council,
    Decision,
    Evidence,
    LogEntry,
    Membership,
    Milestone,
    Need,
    Notice,
    Organisation,
    Phase,
    Programme,
    Progress,
    Proposal,
    Round,
    Seat,
    Sector,
    WeightSet,
)
from interventions.services import membership_review, need_review, organisation_review, round_close
from interventions.services.recording import log_write, values_of


class _Kept(admin.ModelAdmin):
    """What is looked at here and changed by the services."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class _Shown(admin.TabularInline):
    """Rows that the services write, shown with the record they belong to."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class _Logged(admin.ModelAdmin):
    """Records whose every change is in the log: those that are made here too. None is deleted."""

    # Django's own map widget loads its script and tiles from other hosts.
    formfield_overrides = {GeometryField: {"widget": forms.TextInput}}

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        plain = [field.name for field in obj._meta.concrete_fields]
        changed = [name for name in form.changed_data if name in plain]
        with transaction.atomic():
            stored = type(obj)._default_manager.filter(pk=obj.pk).first() if change else None
            before = values_of(stored, changed) if stored else {}
            if change and "version" in plain:
                obj.version += 1
            super().save_model(request, obj, form, change)
            state = getattr(obj, "state", "")
            log_write(
                obj,
                "amend" if change else "enter",
                user=request.user,
                state_from=state if change else NEW,
                state_to=state,
                details=before,
            )


@admin.register(Sector)
class SectorAdmin(admin.ModelAdmin):
    """Sectors."""

    list_display = ("code", "name_fa", "name_en", "position")
    search_fields = ("code", "name_fa", "name_en")


@admin.register(Committee)
class CommitteeAdmin(_Logged):
    """Committees of a province."""

    list_display = ("code", "name_fa", "name_en", "place", "is_crisis")
    list_filter = ("is_crisis",)
    list_select_related = ("place",)
    raw_id_fields = ("place",)
    filter_horizontal = ("sectors",)


class SeatInline(admin.TabularInline):
    """The seats of a council."""

    model = Seat
    extra = 0
    raw_id_fields = ("committee", "user", "organisation")


@admin.register(Council)
class CouncilAdmin(_Logged):
    """Councils."""

    list_display = ("name_fa", "name_en", "place")
    list_select_related = ("place",)
    raw_id_fields = ("place",)
    search_fields = ("name_fa", "name_en", "place__search_name")
    inlines = (SeatInline,)


@admin.register(Activation)
class ActivationAdmin(_Kept):
    """Activations of crisis committees."""

    list_display = ("committee", "place", "state", "activated_at", "stood_down_at")
    list_filter = ("state",)
    list_select_related = ("committee", "place")


@admin.register(Organisation)
class OrganisationAdmin(_Logged):
    """Organisations."""

    list_display = ("name_fa", "name_en", "kind", "place", "state")
    list_filter = ("state", "kind")
    list_select_related = ("place",)
    raw_id_fields = ("place",)
    readonly_fields = ("state",)
    search_fields = ("code", "search_name")
    actions = ("approve",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Keep the kind of what is there: its members' roles follow it, so that a service changes it."""
        return ("state", "kind") if obj else ("state",)

    @admin.action(description=_("Approve the selected organisations"))
    def approve(self, request: HttpRequest, queryset: QuerySet[Organisation]) -> None:
        """Approve organisations."""
        _each(
            self,
            request,
            queryset,
            lambda found: organisation_review(user=request.user, organisation=found, event="approve"),
        )


@admin.register(Membership)
class MembershipAdmin(_Kept):
    """Memberships."""

    list_display = ("user", "organisation", "state", "is_contact", "since")
    list_filter = ("state", "is_contact")
    list_select_related = ("user", "organisation__place")
    search_fields = ("user__username", "organisation__search_name")
    actions = ("approve", "end")

    @admin.action(description=_("Approve the selected memberships"))
    def approve(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """Approve memberships."""
        _each(
            self,
            request,
            queryset,
            lambda found: membership_review(user=request.user, membership=found, event="approve"),
        )

    @admin.action(description=_("End the selected memberships"))
    def end(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """End memberships."""
        _each(
            self, request, queryset, lambda found: membership_review(user=request.user, membership=found, event="end")
        )


@admin.register(Programme)
class ProgrammeAdmin(admin.ModelAdmin):
    """Programmes."""

    list_display = ("code", "name_fa", "name_en", "place")
    list_select_related = ("place",)
    raw_id_fields = ("place",)


class PhaseInline(_Shown):
    """The phases of a round; deadlines are extended by the service, with a reason."""

    model = Phase
    readonly_fields = ("kind", "due_at", "first_due_at")


@admin.register(Round)
class RoundAdmin(_Logged):
    """Rounds: opened by the service, with their deadlines."""

    list_display = ("name_fa", "number", "place", "state", "opened_at", "closed_at")
    list_filter = ("state",)
    list_select_related = ("place",)
    raw_id_fields = ("programme", "place", "areas")
    filter_horizontal = ("sectors",)
    readonly_fields = ("programme", "place", "number", "state", "opened_at", "closed_at")
    inlines = (PhaseInline,)
    actions = ("close",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Open rounds by the service, with their deadlines."""
        return False

    @admin.action(description=_("Close the selected rounds"))
    def close(self, request: HttpRequest, queryset: QuerySet[Round]) -> None:
        """Close rounds."""
        _each(self, request, queryset, lambda found: round_close(user=request.user, round_=found))


@admin.register(Admission)
class AdmissionAdmin(_Kept):
    """Admissions after a deadline."""

    list_display = ("phase", "organisation", "until", "given_at", "given_by")
    list_select_related = ("phase__round", "organisation", "given_by")


@admin.register(Need)
class NeedAdmin(_Logged):
    """Needs."""

    list_display = ("text", "place", "sector", "severity", "people_affected", "state", "reported_at")
    list_filter = ("state", "approach", "sector")
    list_select_related = ("place", "sector")
    raw_id_fields = ("round", "place", "organisation")
    readonly_fields = ("state", "merged_into", "reporter")
    search_fields = ("search_text", "place__search_name")
    actions = ("confirm",)

    @admin.action(description=_("Confirm the selected needs"))
    def confirm(self, request: HttpRequest, queryset: QuerySet[Need]) -> None:
        """Confirm needs."""
        _each(self, request, queryset, lambda need: need_review(user=request.user, need=need, event="confirm"))


@admin.register(WeightSet)
class WeightSetAdmin(_Kept):
    """Sets of weights: looked at here, changed on their pages."""

    list_display = ("name", "organisation", "city", "how", "version", "saved_at", "archived_at")
    list_filter = ("how",)
    list_select_related = ("organisation", "city")
    search_fields = ("name_fa", "name_en", "organisation__search_name")


@admin.register(Capacity)
class CapacityAdmin(_Logged):
    """Capacities."""

    list_display = ("text", "kind", "place", "organisation", "amount", "reported_at", "archived_at")
    list_filter = ("kind", "sectors")
    list_select_related = ("place", "organisation")
    raw_id_fields = ("place", "organisation")
    readonly_fields = ("reporter", "archived_at")
    filter_horizontal = ("sectors",)
    search_fields = ("text_fa", "text_en", "place__search_name")


class AssessmentInline(_Shown):
    """What departments say of a proposal."""

    model = Assessment
    readonly_fields = ("organisation", "state", "reason", "asked_at", "said_at", "author")


@admin.register(Proposal)
class ProposalAdmin(_Logged):
    """Proposals."""

    list_display = ("title", "organisation", "cost_irr", "state", "submitted_at")
    list_filter = ("state",)
    list_select_related = ("organisation",)
    raw_id_fields = ("round", "organisation", "needs", "scenario")
    readonly_fields = ("state", "submitted_at", "author")
    search_fields = ("title_fa", "title_en")
    inlines = (AssessmentInline,)


@admin.register(Decision)
class DecisionAdmin(_Kept):
    """Decisions."""

    list_display = ("proposal", "outcome", "granted_irr", "decided_at", "published_at")
    list_filter = ("outcome",)
    list_select_related = ("proposal",)


class MilestoneInline(admin.TabularInline):
    """The steps of an action."""

    model = Milestone
    extra = 0


class ProgressInline(_Shown):
    """Reports of progress: written once."""

    model = Progress
    readonly_fields = ("reported_at", "done_percent", "spent_irr", "people_reached", "text", "author")


@admin.register(Action)
class ActionAdmin(_Logged):
    """Actions."""

    list_display = ("title", "organisation", "place", "sector", "state", "starts_on", "ends_on")
    list_filter = ("state", "approach", "sector")
    list_select_related = ("organisation", "place", "sector")
    raw_id_fields = ("organisation", "place", "round", "proposal", "handed_from", "needs")
    readonly_fields = ("state", "started_on", "done_on", "author")
    search_fields = ("title_fa", "title_en", "place__search_name")
    inlines = (MilestoneInline, ProgressInline)


@admin.register(Evidence)
class EvidenceAdmin(_Kept):
    """Photos and documents."""

    list_display = ("file_name", "kind", "need", "action", "is_public", "created_at", "archived_at")
    list_filter = ("kind", "is_public")
    list_select_related = ("need", "action")


@admin.register(LogEntry)
class LogEntryAdmin(_Kept):
    """The log."""

    list_display = ("at", "actor_name", "subject", "subject_id", "event", "state_from", "state_to", "place")
    list_filter = ("subject", "event")
    list_select_related = ("place",)
    date_hierarchy = "at"
    fields = (
        "at", "actor_name", "subject", "subject_id", "event", "state_from", "state_to", "place", "organisation", "note", "details",
    )  # fmt: skip


@admin.register(Notice)
class NoticeAdmin(_Kept):
    """Notices."""

    list_display = ("user", "kind", "key", "created_at", "read_at", "mailed_at")
    list_filter = ("kind",)
    list_select_related = ("user",)


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
