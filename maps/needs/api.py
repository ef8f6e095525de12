"""Needs over JSON, below ``/api/v1/``: sent from a phone, perhaps long after they were written and more than once."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from interventions.models import Evidence, Need
from interventions.selectors import need_get
from interventions.services import evidence_add, need_report
from layers.services.files import MOST_BYTES
from maps.api.answers import answer
from maps.api.bodies import takes
from maps.api.interface import SignedIn
from maps.needs import presenters, selectors
from maps.needs.forms import NeedBody, spec_of, wrong_sentences
from maps.offline.reading import body_sent, record_json, sent_before
from maps.pages.files import size_required

router = Router(tags=["needs"])

_PHOTO: Final = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp", "application/pdf")
        },
    }
}


@router.post("cities/{slug:city}/needs", openapi_extra=takes(NeedBody))
def report(request: HttpRequest, city: str) -> HttpResponse:
    """Report a need. One whose ticket is known is answered with as it was stored, and no second one is made."""
    place = selectors.city_of_workers(city, request)
    body = body_sent(request, NeedBody, wrong_sentences())
    known = sent_before(Need, body, request.user)
    made = known or need_report(user=request.user, spec=spec_of(body, request.user, place))
    told = record_json(made, reverse("need", args=[place.code, made.pk]), is_new=known is None)
    return answer(told, status=200 if known else 201, version=made.version)


@router.post("cities/{slug:city}/needs/similar", openapi_extra=takes(NeedBody))
def similar(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with needs that may say the same, before one is sent; with none where this one was sent already."""
    place = selectors.city_of_workers(city, request)
    body = body_sent(request, NeedBody, wrong_sentences())
    if body.ticket is not None and Need.objects.filter(ticket=body.ticket, reporter_id=request.user.pk).exists():
        return answer({"similar": []})
    rows = selectors.similar_needs(spec_of(body, request.user, place), request.user)
    return answer({"similar": presenters.similar_json(rows, place.code)})


@router.post(
    "cities/{slug:city}/needs/{int:number}/photos/{uuid:ticket}", openapi_extra=_PHOTO, auth=SignedIn(size_required)
)
def photo(
    request: HttpRequest, city: str, number: int, ticket: UUID, title: str = "", keeps_location: bool = False
) -> HttpResponse:
    """Add a photo or document to a need, as the bytes of the file; under a ticket that is known, none is added.

    Without a title it is told by what the need says. Where it was taken is not kept unless that is asked for.
    """
    place = selectors.city_of_workers(city, request)
    need = need_get(number, request.user, place)
    is_new = not Evidence.objects.filter(pk=ticket).exists()
    made = evidence_add(
        user=request.user,
        need=need,
        file=ContentFile(request.read(MOST_BYTES + 1), name="photo"),
        title=title[:300] if title.strip() else need.text[:150],
        keeps_location=keeps_location,
        ticket=ticket,
    )
    return answer({"number": str(made.pk), "is_new": is_new}, status=201 if is_new else 200)


@router.get("cities/{slug:city}/needs/indicator")
def indicator(request: HttpRequest, city: str, place: str, service: str) -> HttpResponse:
    """Answer how many people of a place lack a service, in a sentence: what answering a need would move."""
    found = selectors.city_of_workers(city, request)
    return answer({"sentence": selectors.indicator_text(found, place[:100], service[:60], request.user)})
