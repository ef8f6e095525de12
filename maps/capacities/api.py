"""Capacities over JSON, below ``/api/v1/``: sent from a phone, perhaps long after they were written and more than once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router

from interventions.models import Capacity
from interventions.services import capacity_put
from maps.api.answers import answer
from maps.api.bodies import takes
from maps.capacities.forms import CapacityBody, spec_of, wrong_sentences
from maps.needs.selectors import city_of_workers
from maps.offline.reading import body_sent, record_json, sent_before

router = Router(tags=["capacities"])


@router.post("cities/{slug:city}/capacities", openapi_extra=takes(CapacityBody))
def record(request: HttpRequest, city: str) -> HttpResponse:
    """Record a capacity. One whose ticket is known is answered with as it was stored, and no second one is made."""
    place = city_of_workers(city, request)
    body = body_sent(request, CapacityBody, wrong_sentences())
    known = sent_before(Capacity, body, request.user)
    made = known or capacity_put(user=request.user, spec=spec_of(body, request.user, place))
    address = reverse("capacity", args=[place.code, made.pk])
    told = record_json(made, address, is_new=known is None)
    return answer(told, status=200 if known else 201, version=made.version)
