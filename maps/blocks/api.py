"""Settlement form over JSON, below ``/api/v1/``: what the live map draws, and the recount of paths while they are edited."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from ninja import Router

from analysis.caching import ArrayCache, content_key
from analysis.indicators import require_insider
from analysis.selectors import city_get
from analysis.settlement_form import count_record, ground_of, settlement_form
from maps.api.answers import answer, tagged
from maps.api.bodies import body_of, takes
from maps.blocks.forms import asked_from
from maps.blocks.map_presenters import form_geojson
from maps.blocks.schemas import PiecesBody

router = Router(tags=["settlement form"])

_drawn = ArrayCache(max_bytes=60_000_000)


@router.get("cities/{slug:city}/places/{slug:place}/blocks/map")
def blocks_map(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer with plots by layer, homes without access, streets by width, and the pieces that paths can be put together from."""
    of = city_get(city, request.user)
    require_insider(of, request.user)
    asked = asked_from(request.GET.dict())
    found = settlement_form(city=of, user=request.user, place_code=place, asked=asked.question)
    width_m = asked.question.path_width_m

    def drawn() -> bytes:
        return form_geojson(found, ground_of(found), width_m).encode()

    return tagged(request, _drawn.get(content_key(found.key, width_m), drawn))


@router.post("cities/{slug:city}/places/{slug:place}/blocks/recount", openapi_extra=takes(PiecesBody))
def blocks_recount(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer with what paths of some pieces would do: homes still without access, k, length, cost, homes touched. Nothing is written."""
    started = time.perf_counter()
    of = city_get(city, request.user)
    require_insider(of, request.user)
    body = body_of(request, PiecesBody)
    asked = asked_from({"narrowest": body.narrowest, "width": body.width, "cost": body.cost}).question
    found = settlement_form(city=of, user=request.user, place_code=place, asked=asked)
    ground = ground_of(found)
    pieces = ground.read(body.pieces)
    told = count_record(ground.count(pieces, width_m=asked.path_width_m, cost_per_m=asked.cost_per_m))
    return answer(told | {"server_ms": round((time.perf_counter() - started) * 1000, 2)})
