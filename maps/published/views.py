"""Pages of published maps: anybody may open them; analysts publish and withdraw."""

from __future__ import annotations

import hashlib
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.html import escape
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from analysis.scenarios import question_asked
from analysis.selectors import city_get
from geo.errors import Forbidden, MahallehError, NotFound
from geo.models import Place
from geo.querysets import User
from maps.pages.formats import Language
from maps.pages.forms import city_state_from
from maps.pages.presenters import language
from maps.problems import problem_of
from maps.published import downloads, presenter, selectors, services
from maps.published.forms import PublishForm, question_parameters

MAP_POLICY: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *"
)
"""The frozen page may run the scripts it carries and nothing else: no request, no form, no access to our host's cookies."""
EMBED_HEIGHT: Final = 640


@require_safe
def publication(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the page of a published map: the map in a frame, and all it says as text."""
    try:
        found = selectors.publication_get(slug, request.user)
    except NotFound:
        if not selectors.is_withdrawn(slug):
            raise
        return render(request, "published/withdrawn.html", status=410)
    lang = cast("Language", language())
    map_url = f"{reverse('publication-map', args=[slug])}?lang={lang}"
    context = {
        "publication": found,
        "city": found.city,
        "view": presenter.view(found.document, lang),
        "map_url": map_url,
        "embed_code": embed_code(request.build_absolute_uri(map_url), found.title),
        "words": {"sort": _("Sort by %(column)s"), "show": _("Show %(place)s on the map"), "copied": _("Copied")},
        "may_withdraw": services.may_publish(found.city, request.user),
    }
    return render(request, "published/publication.html", context)


def embed_code(address: str, title: str) -> str:
    """Return the HTML with which another site shows a map in a frame.

    Examples
    --------
    >>> embed_code("https://x.example/m/a/map.html?lang=en", 'Say "who"')[:86]
    '<iframe src="https://x.example/m/a/map.html?lang=en" title="Say &quot;who&quot;" width'
    """
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}" width="100%" height="{EMBED_HEIGHT}" sandbox="allow-scripts" '
        'loading="lazy" style="border:0"></iframe>'
    )


@require_safe
@xframe_options_exempt
def map_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the frozen page itself, fit for a frame on any site; ``?lang=en`` for the English one, ``?save=1`` to keep it as a file."""
    asked = request.GET.get("lang", "")
    lang = asked if asked in ("fa", "en") else language()
    page = selectors.publication_page(slug, request.user, lang)
    response = _unless_known(request, page.encode(), "text/html; charset=utf-8")
    response["Content-Security-Policy"] = MAP_POLICY
    if request.GET.get("save"):
        response["Content-Disposition"] = f'attachment; filename="{slug}.{lang}.html"'
    return response


@require_safe
def download_geojson(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the places of a published map, their outlines in full, as GeoJSON."""
    found = selectors.publication_get(slug, request.user)
    response = JsonResponse(
        found.geojson, content_type="application/geo+json", json_dumps_params={"ensure_ascii": False}
    )
    response["Content-Disposition"] = f'attachment; filename="{slug}.geojson"'
    return response


@require_safe
def download_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the table of a published map as CSV."""
    found = selectors.publication_get(slug, request.user)
    response = HttpResponse(downloads.csv_text(found.document), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.csv"'
    return response


@login_required
@require_POST
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a map off the public's sight, or put it back (``restore``)."""
    found = selectors.publication_get(slug, request.user)
    if request.POST.get("restore"):
        services.publication_restore(found, by=request.user)
        messages.success(request, _("The map is published again."))
    else:
        services.publication_withdraw(found, by=request.user)
        messages.success(request, _("The map is withdrawn. Nobody but your team sees it now; it can be put back."))
    return redirect("publication", slug=slug)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, city: str) -> HttpResponse:
    """Show what would be published with suggested titles; publish it where the form is complete."""
    place = city_get(city, request.user)
    if not services.may_publish(place, request.user):
        raise Forbidden(
            f"You may not publish maps of {place.name_en}.",
            code="may_not_publish",
            remedy="Ask for the role of an analyst.",
            details={"city": place.name},
        )
    sent = request.POST if request.method == "POST" else request.GET
    asked = question_parameters(sent.dict())
    try:
        public = _asked_result(place, asked, request.user)
    except MahallehError as error:
        form = PublishForm(sent if request.method == "POST" else None)
        return _form_page(request, place, form, asked, None, error, status=400)
    if request.method != "POST":
        titles = {f"title_{code}": services.suggested_title(public, code) for code in ("fa", "en")}
        form = PublishForm(initial={**titles, "slug": services.suggested_slug(public)})
        return _form_page(request, place, form, asked, public)
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            made = services.publication_create(
                city=place,
                author=request.user,
                measure=public.measure,
                service=public.service.code if public.service else "",
                question=question_asked(asked, city=place, user=request.user),
                slug=form.cleaned_data["slug"],
                title_fa=form.cleaned_data["title_fa"],
                title_en=form.cleaned_data["title_en"],
            )
        except MahallehError as error:
            if error.code != "slug_taken":
                return _form_page(request, place, form, asked, public, error, status=400)
            form.add_error("slug", _("Another map has this address. Choose another one."))
        else:
            messages.success(request, _("The map is published."))
            return redirect("publication", slug=made.slug)
    return _form_page(request, place, form, asked, public, status=400)


def _asked_result(place: Place, asked: dict[str, str], user: User) -> services.PublicResult:
    state = city_state_from(asked, question_asked(asked, city=place, user=user))
    return services.public_result(city=place, measure=state.show, service=state.service, question=state.question)


def _form_page(
    request: HttpRequest, place: Place, form: PublishForm, asked: dict[str, str], public: services.PublicResult | None,
    error: MahallehError | None = None, *, status: int = 200,
) -> HttpResponse:  # fmt: skip
    lang = language()
    context: dict[str, Any] = {
        "city": place,
        "form": form,
        "asked": asked,
        "public": public,
        "finding": services.suggested_title(public, lang) if public else "",
        "problem": problem_of(error, status) if error else None,
    }
    return render(request, "published/publish.html", context, status=status)


def _unless_known(request: HttpRequest, content: bytes, content_type: str) -> HttpResponse:
    """Answer with content, or that the client has it already."""
    etag = quote_etag(hashlib.sha256(content).hexdigest()[:32])
    known = get_conditional_response(request, etag=etag)
    response = known if isinstance(known, HttpResponseNotModified) else HttpResponse(content, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"  # a withdrawn map must be gone at once; asking costs only a 304
    return response
