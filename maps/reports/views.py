"""Printed reports over HTTP: fetch what the reader may see, present it, answer with a PDF. No decisions live here."""

from __future__ import annotations

from unicodedata import category
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from analysis.selectors import city_get
from geo.models import Place
from geo.querysets import User
from interventions.selectors import needs_summary
from interventions.selectors.actions import action_marks, action_rows
from maps.pages import selectors
from maps.pages.answers import boundary_of, place_answer
from maps.reports import brief as presenters
from maps.reports import printing
from maps.reports.doing import MAX_ACTIONS
from maps.reports.reading import standing_read

MAX_NAME = 60
"""Letters of a place's name that a file name takes; the whole name is in the document."""


@require_safe
def place_brief(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer with a place on paper: how it stands, why, what is being done, and where every number comes from.

    The query string is that of the place's page, so that what is on the screen can be printed: ``threshold-<service>``,
    ``weight-<service>``, ``aggregation``, ``normalisation``, and ``service`` for the chart.
    """
    in_city = city_get(city, request.user)
    found = selectors.place_get(in_city, place, request.user)
    return _answer(request, printing.brief_html(brief_read(request, in_city, found)), _disposition(in_city, found))


def brief_read(request: HttpRequest, city: Place, place: Place) -> presenters.Brief:
    """Return what stands on the sheet of a place for this reader and this question.

    Raises
    ------
    NotFound
        Where the place has no boundary in force, or the chart's service is not the city's.
    InvalidInput
        Where the question is not one.
    """
    answer = place_answer(city, place, request.user, request.GET.dict())
    state, result = answer.state, answer.result
    today = timezone.localdate()
    actions = [mark.pk for mark in action_marks(place, request.user, today)]
    address = reverse("place", args=[city.code, place.code]) + state.query().removesuffix("?")
    return presenters.brief_of(
        result,
        answer.standard,
        answer.row,
        view=answer.view,
        around=_around(place, request.user),
        drawing=selectors.drawing_read(city, request.user),
        boundary=boundary_of(answer, request.user),
        needs=needs_summary(place, request.user),
        actions=action_rows(actions[:MAX_ACTIONS], today),
        actions_in_all=len(actions),
        standing=standing_read(city, place, request.user, is_insider=answer.is_insider),
        is_insider=answer.is_insider,
        is_illustrative=city.is_illustrative or place.is_illustrative,
        is_changed=state.is_changed,
        printed_on=today,
        address=request.build_absolute_uri(address),
    )


def _around(place: Place, user: User) -> tuple[str, ...]:
    """Return the names of the district, city and province a place lies in, the nearest first."""
    parts = place.path.split("/")
    kinds = [Place.Kind.PROVINCE, Place.Kind.CITY, Place.Kind.DISTRICT]
    found = Place.objects.visible_to(user).filter(
        path__in=["/".join(parts[:end]) for end in range(1, len(parts))], kind__in=kinds
    )
    return tuple(each.name for each in found.order_by("-path"))


def _answer(request: HttpRequest, html: str, disposition: str) -> HttpResponse:
    """Answer with the PDF of a page, or that the reader has it already; the page decides, so nothing is set in vain.

    The reader asks each time, because what may be seen can change at once; asking costs only a 304.
    """
    etag = quote_etag(printing.brief_key(html))
    known = get_conditional_response(request, etag=etag)
    if isinstance(known, HttpResponseNotModified):
        response: HttpResponse = known
    else:
        response = HttpResponse(printing.brief_pdf(html), content_type="application/pdf")
        response["Content-Disposition"] = disposition
    response["ETag"] = etag
    response["Cache-Control"] = f"{'private' if request.user.is_authenticated else 'public'}, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


def _disposition(city: Place, place: Place) -> str:
    """Return the header that shows the PDF in the browser and names the file for those who keep it.

    Old programs get the codes, all others the names, without what a file system or a header could take amiss.
    """
    words = quote(" - ".join(_file_words(each.name) or each.code for each in (city, place)) + ".pdf", safe="")
    return f"inline; filename=\"{city.code}-{place.code}.pdf\"; filename*=UTF-8''{words}"


def _file_words(name: str) -> str:
    """Return a name as part of a file name: letters, marks, digits and a few signs.

    Examples
    --------
    >>> _file_words('a/b: "c" (d)')
    'a b c (d)'
    """
    kept = "".join(each if category(each)[0] in "LMN" or each in "\u200c.,()-" else " " for each in name)
    return " ".join(kept.split())[:MAX_NAME]
