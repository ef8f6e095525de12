"""Photos and documents of actions and needs: taken in, handed out under the reader's rights, put away."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.selectors import city_get
from geo.errors import InvalidInput, LimitExceeded, NotFound
from geo.models import Place
from geo.querysets import User
from interventions.models import Evidence
from interventions.selectors import paths_around
from interventions.selectors.actions import action_get
from interventions.services import evidence_add, evidence_change
from interventions.services.evidence import evidence_file_name, evidence_thumbnail_name
from maps.actions.views import action_page
from maps.pages.files import file_answer, file_change_from, takes_file


@takes_file
def add(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Take a photo or document of an action; what is too large is refused before anything of it is read."""
    place = city_get(city, request.user)
    action = action_get(place, number, request.user)
    kept = {name: request.POST.get(name, "")[:300] for name in ("title", "keeps_location", "is_public")}
    try:
        file = request.FILES.get("photo") or request.FILES.get("file")
        if file is None:
            raise InvalidInput("No file was chosen.", code="no_file", where="file", remedy="Choose one.")
        evidence_add(
            user=request.user,
            action=action,
            file=file,
            title=kept["title"],
            is_public=bool(kept["is_public"]),
            keeps_location=bool(kept["keeps_location"]),
        )
    except (InvalidInput, LimitExceeded) as error:
        return action_page(request, place, number, error, kept)
    messages.success(request, _("Added."))
    return redirect("action", place.code, number)


@require_safe
def whole(request: HttpRequest, evidence: UUID) -> HttpResponseBase:
    """Answer with a document, or with a photo at the size for screens."""
    found = _get(evidence, request.user)
    return _answer(request, found, evidence_file_name(found))


@require_safe
def small(request: HttpRequest, evidence: UUID) -> HttpResponseBase:
    """Answer with the small picture of a photo."""
    found = _get(evidence, request.user)
    if found.kind != Evidence.Kind.PHOTO:
        raise _none(evidence)
    return _answer(request, found, evidence_thumbnail_name(found))


@require_POST
@login_required
def change(request: HttpRequest, evidence: UUID) -> HttpResponse:
    """Put a photo or document away or bring it back, show it to everybody or not."""
    found = _get(evidence, request.user)
    asked = file_change_from(request)
    evidence_change(user=request.user, evidence=found, **asked)
    messages.success(request, _("Done."))
    record = found.action or found.need
    assert record is not None  # noqa: S101 - the database keeps it so
    city = Place.objects.filter(kind=Place.Kind.CITY, path__in=paths_around(record.place)).first()
    if city is None:
        return redirect("home")
    page = ("action", found.action_id) if found.action_id is not None else ("need", found.need_id)
    return redirect(page[0], city.code, page[1])


def _get(evidence: UUID, user: User) -> Evidence:
    found: Evidence | None = (
        Evidence.objects.visible_to(user)
        .select_related("action__place", "need__place")
        .filter(pk=evidence)
        .first()
    )  # fmt: skip
    if found is None:
        raise _none(evidence)
    return found


def _none(evidence: UUID) -> NotFound:
    return NotFound(
        "There is no such photo or document.",
        code="unknown_attachment",
        where=str(evidence),
        remedy="Look on the page of its action.",
    )


def _answer(request: HttpRequest, found: Evidence, name: str) -> HttpResponseBase:
    is_photo = found.kind == Evidence.Kind.PHOTO
    response = file_answer(request, name, media_type=found.media_type, file_name=found.file_name, is_photo=is_photo)
    if response is None:
        raise _none(found.pk)
    return response
