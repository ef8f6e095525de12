"""Pages of published indices: anybody may read them; analysts and planners publish and withdraw."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analysis.disclosure import is_insider
from analysis.indicators import require_insider
from analysis.indices.computing import IndexQuestion
from analysis.indices.editions import (
    PublicIndex,
    edition_get,
    edition_withdrawn,
    editions_read,
    index_public,
    index_publish,
    index_withdraw,
    may_publish_index,
)
from analysis.models import IndexEdition
from analysis.selectors import city_get
from analysis.services import coverage_compute
from geo.errors import Forbidden, InvalidInput, MahallehError, NotFound
from geo.models import Place
from maps.indices import checks, presenters
from maps.indices import editions as edition_presenters
from maps.indices.forms import PublishForm, index_query, index_question_from
from maps.indices.selectors import document_drawing, edition_drawing
from maps.indices.views import default_kind, workbook_response
from maps.pages.selectors import may_draw
from maps.problems import problem_of


@require_safe
def editions(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the indices that were published of a city."""
    place = city_get(city, request.user)
    found = editions_read(place, request.user)
    context = {
        **_of_city(place, request),
        "editions": [{"edition": one, "view": presenters.index_view(one.document)} for one in found],
        "latest": next((one for one in found if one.withdrawn_at is None), None),
        "may_build": bool(request.user.is_authenticated and is_insider(request.user, place)),
    }
    return render(request, "maps/indices/editions.html", context)


@require_safe
def edition(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with a published index as it was frozen."""
    place = city_get(city, request.user)
    try:
        found = edition_get(place, number, request.user)
    except NotFound:
        gone = edition_withdrawn(place, number)
        if gone is None:
            raise
        return render(
            request, "maps/indices/edition_withdrawn.html", {**_of_city(place, request), "edition": gone}, status=410
        )
    return _edition_page(request, place, found)


@login_required
@require_POST
def withdraw(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Take a published index off the public's sight, for a reason."""
    place = city_get(city, request.user)
    found = edition_get(place, number, request.user)
    try:
        index_withdraw(edition=found, by=request.user, reason=request.POST.get("reason", ""))
    except InvalidInput as error:
        return _edition_page(request, place, found, error)
    messages.success(request, _("The index is withdrawn. Only people with a role in the city see it now."))
    return redirect("index-edition", city=place.code, number=number)


@require_safe
def edition_export(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with a published index as a workbook."""
    place = city_get(city, request.user)
    found = edition_get(place, number, request.user)
    heading = (
        ("edition", found.number, "Number of the published index"),
        ("title_fa", found.title_fa, ""),
        ("title_en", found.title_en, ""),
        ("note", found.note, "What is new since the edition before"),
        ("published_at", found.published_at.isoformat(timespec="seconds"), ""),
        *(
            [("withdrawn_at", found.withdrawn_at.isoformat(timespec="seconds"), found.withdrawn_reason)]
            if found.withdrawn_at
            else []
        ),
    )
    return workbook_response(found.document, f"{place.code}-index-{number}.xlsx", heading)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, city: str) -> HttpResponse:
    """Show what would be published of the index that the address asks for, and whether its order holds; publish it."""
    place = city_get(city, request.user)
    require_insider(place, request.user)
    if not may_publish_index(place, request.user):
        raise Forbidden(
            f"You may not publish indices of {place.name_en}.",
            code="may_not_publish",
            remedy="Ask for the role of an analyst.",
            details={"city": place.name},
        )
    covered = coverage_compute(city=place, user=request.user)
    try:
        question = index_question_from(request.GET.dict(), default_kind(covered))
        public = index_public(city=place, user=request.user, question=question)
    except MahallehError as error:
        if not isinstance(error, (InvalidInput, NotFound)):
            raise
        return _publish_page(request, place, None, None, PublishForm(), error)
    if request.method != "POST":
        return _publish_page(
            request, place, question, public, PublishForm(initial=presenters.suggested_titles(public.document))
        )
    form = PublishForm(request.POST)
    if not form.is_valid():
        return _publish_page(request, place, question, public, form)
    try:
        made = index_publish(city=place, author=request.user, question=question, public=public, **form.cleaned_data)
    except InvalidInput as error:
        if error.code == "reversals_unseen":
            form.add_error("reversals_seen", _("Read where the order does not hold, and confirm it."))
            return _publish_page(request, place, question, public, form)
        return _publish_page(request, place, question, public, form, error)
    messages.success(request, _("The index is published."))
    return redirect("index-edition", city=place.code, number=made.number)


def _publish_page(
    request: HttpRequest, place: Place, question: IndexQuestion | None, public: PublicIndex | None, form: PublishForm,
    error: MahallehError | None = None,
) -> HttpResponse:  # fmt: skip
    context: dict[str, Any] = {
        **_of_city(place, request),
        "form": form,
        "problem": problem_of(error) if error else None,
        "query": index_query(question) if question else "",
        "view": None,
    }
    if public is not None:
        view = presenters.index_view(public.document)
        context |= {
            "view": view,
            "fills": view.fills,
            "drawing": document_drawing(public.document),
            "reversals": checks.reversals_view(public.document),
        }
    status = 404 if isinstance(error, NotFound) else 400 if error or form.errors else 200
    return render(request, "maps/indices/publish.html", context, status=status)


def _edition_page(
    request: HttpRequest, place: Place, found: IndexEdition, error: InvalidInput | None = None
) -> HttpResponse:
    view = presenters.index_view(found.document)
    context = {
        **_of_city(place, request),
        "edition": found,
        "view": view,
        "fills": view.fills,
        "drawing": edition_drawing(found),
        "since": edition_presenters.since_view(found.document),
        "years": edition_presenters.years_view(found.document),
        "methods": edition_presenters.methods_view(found.document),
        "reversals": checks.reversals_view(found.document),
        "sources": [
            (presenters.named(one), one["release"], presenters.named(one, "source"))
            for one in found.document["sources"]
        ],
        "may_withdraw": found.withdrawn_at is None and may_publish_index(place, request.user),
        "problem": problem_of(error) if error else None,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "maps/indices/edition.html", context, status=400 if error else 200)


def _of_city(place: Place, request: HttpRequest) -> dict[str, Any]:
    return {"city": place, "tab": "index-editions", "may_draw": may_draw(place, request.user)}
