"""The workbench over JSON, below ``/api/v1/``: thin; what is decided is decided by `geo.services`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.http import HttpRequest, HttpResponse
from ninja import Router

from analysis.selectors import city_get
from geo.models import ChangeSet
from geo.selectors import change_set_read
from geo.services import (
    StaleEdit,
    TopologyRefused,
    change_set_approve,
    change_set_propose,
    change_set_return,
    change_set_withdraw,
)
from maps.api.answers import answer, nothing, problem, tagged, version_of
from maps.api.bodies import body_of, takes
from maps.workbench import presenters, selectors, services
from maps.workbench.readout import all_findings, drawing_of, readout
from maps.workbench.schemas import (
    ChangeSetBody,
    DecisionBody,
    PresenceBody,
    ReadoutBody,
    RepairBody,
    RestoreBody,
    WorkingCopyBody,
)

router = Router()


# ---- a city


@router.get("cities/{slug:city}/partition", auth=None, tags=["city"])
def partition(
    request: HttpRequest, city: str, as_of: date | None = None, change_set: int | None = None
) -> HttpResponse:
    """Answer with the boundaries of a city as arcs, on a day or with the drafts of a change set in place."""
    place = city_get(city, request.user)
    drafts = selectors.change_set_of(change_set, place, request.user) if change_set is not None else None
    return tagged(request, selectors.partition_text(place, request.user, as_of=as_of, change_set=drafts))


@router.post("cities/{slug:city}/readout", tags=["city"], openapi_extra=takes(ReadoutBody))
def measure(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with what a drawing amounts to; nothing is written."""
    place = selectors.drawn_city(city, request.user)
    body = body_of(request, ReadoutBody)
    return answer(readout(drawing_of(place, request.user, body.edits), request.user))


@router.get("cities/{slug:city}/topology", tags=["city"])
def topology(request: HttpRequest, city: str, change_set: int | None = None) -> HttpResponse:
    """Answer with all gaps, overlaps and slivers of a city, or of what a change set would make of it."""
    place = selectors.drawn_city(city, request.user)
    drafts = selectors.change_set_of(change_set, place, request.user) if change_set is not None else None
    edits = selectors.drafted(drafts) if drafts else []
    return answer({"findings": all_findings(drawing_of(place, request.user, edits))})


@router.post("cities/{slug:city}/topology", tags=["city"], openapi_extra=takes(ReadoutBody))
def topology_drawn(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with all gaps, overlaps and slivers of a city as it is drawn at this moment."""
    place = selectors.drawn_city(city, request.user)
    body = body_of(request, ReadoutBody)
    return answer({"findings": all_findings(drawing_of(place, request.user, body.edits))})


@router.post("cities/{slug:city}/repair", tags=["city"], openapi_extra=takes(RepairBody))
def repair(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with what a repair would change; nothing is written."""
    place = selectors.drawn_city(city, request.user)
    body = body_of(request, RepairBody)
    return answer(services.repair_preview(drawing_of(place, request.user, body.edits), body.finding, body.repair))


@router.get("cities/{slug:city}/layers/{slug:code}/shape", tags=["city"])
def shape(request: HttpRequest, city: str, code: str, lon: float, lat: float) -> HttpResponse:
    """Answer with the area of a layer that lies under a point."""
    place = selectors.drawn_city(city, request.user)
    return answer(selectors.shape_at(place, code, lon, lat, request.user))


@router.post("cities/{slug:city}/trace", tags=["city"])
def trace(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the areas of an uploaded file (part ``file`` of a form); nothing of it is kept."""
    place = selectors.drawn_city(city, request.user)
    return answer(services.trace(place, request.user, request.FILES.get("file")))


# ---- work in progress


@router.get("cities/{slug:city}/working-copy", tags=["work in progress"])
def working_copy(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the reader's own unsaved work, 204 where there is none."""
    place = selectors.drawn_city(city, request.user)
    kept = selectors.working_copy_of(place, request.user)
    if kept is None:
        return nothing()
    return answer({"document": kept.document, "based_on": kept.based_on, "saved_at": kept.saved_at.isoformat()})


@router.put("cities/{slug:city}/working-copy", tags=["work in progress"], openapi_extra=takes(WorkingCopyBody))
def working_copy_put(request: HttpRequest, city: str) -> HttpResponse:
    """Keep the reader's unsaved work."""
    place = selectors.drawn_city(city, request.user)
    body = body_of(request, WorkingCopyBody)
    kept = services.working_copy_put(place, request.user, body.document, body.based_on)
    return answer({"saved_at": kept.saved_at.isoformat()})


@router.delete("cities/{slug:city}/working-copy", tags=["work in progress"])
def working_copy_drop(request: HttpRequest, city: str) -> HttpResponse:
    """Forget the reader's unsaved work."""
    place = selectors.drawn_city(city, request.user)
    services.working_copy_drop(place, request.user)
    return nothing()


@router.put("cities/{slug:city}/presence", tags=["work in progress"], openapi_extra=takes(PresenceBody))
def presence(request: HttpRequest, city: str) -> HttpResponse:
    """Say which places the reader edits now, and answer with who else is here."""
    place = selectors.drawn_city(city, request.user)
    body = body_of(request, PresenceBody)
    services.presence_put(place, request.user, body.places)
    return answer({"others": selectors.others_here(place, request.user)})


# ---- change sets


@router.post("cities/{slug:city}/change-sets", tags=["change sets"], openapi_extra=takes(ChangeSetBody))
def change_set_create(request: HttpRequest, city: str) -> HttpResponse:
    """Save edits as the drafts of a new change set, all or none."""
    place = selectors.drawn_city(city, request.user)
    body = body_of(request, ChangeSetBody)
    saved = services.save(place, request.user, body)
    shown = change_set_read(saved.change_set.pk, request.user)
    return answer(presenters.saved_json(saved, shown, request.user), status=201, version=shown.version)


@router.get("change-sets/{int:number}", tags=["change sets"])
def change_set(request: HttpRequest, number: int) -> HttpResponse:
    """Answer with a change set, as far as the reader may see it."""
    found = change_set_read(number, request.user)
    return answer(presenters.change_set_json(found, request.user), version=found.version)


@router.put("change-sets/{int:number}", tags=["change sets"], openapi_extra=takes(ChangeSetBody))
def change_set_put(request: HttpRequest, number: int) -> HttpResponse:
    """Save a change set again, in place of all it held; needs ``If-Match``."""
    found = change_set_read(number, request.user)
    place = selectors.drawn_city(found.place.code, request.user)
    version = version_of(request, found.version)
    body = body_of(request, ChangeSetBody)
    try:
        saved = services.save(place, request.user, body, found, version)
    except StaleEdit as error:
        return problem(error, version=change_set_read(number, request.user).version)
    shown = change_set_read(number, request.user)
    return answer(presenters.saved_json(saved, shown, request.user), version=shown.version)


@router.get("change-sets/{int:number}/diff", tags=["change sets"])
def diff(request: HttpRequest, number: int) -> HttpResponse:
    """Answer with what each place of a change set was and would be."""
    return answer(presenters.diff_json(change_set_read(number, request.user), request.user))


@router.post("change-sets/{int:number}/propose", tags=["change sets"], openapi_extra=takes(DecisionBody))
def propose(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for a decision on a change set; needs ``If-Match``."""
    return _step(request, number, lambda s, v, b: change_set_propose(s, request.user, v, b.comment))


@router.post("change-sets/{int:number}/approve", tags=["change sets"], openapi_extra=takes(DecisionBody))
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Put a change set in force; needs ``If-Match``, and a second person."""
    return _step(
        request,
        number,
        lambda s, v, b: change_set_approve(s, request.user, v, b.comment, acknowledged=tuple(b.acknowledged)),
    )


@router.post("change-sets/{int:number}/return", tags=["change sets"], openapi_extra=takes(DecisionBody))
def return_(request: HttpRequest, number: int) -> HttpResponse:
    """Give a change set back to its author with a comment; needs ``If-Match``."""
    return _step(request, number, lambda s, v, b: change_set_return(s, request.user, v, b.comment))


@router.post("change-sets/{int:number}/withdraw", tags=["change sets"], openapi_extra=takes(DecisionBody))
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Give a change set up; needs ``If-Match``."""
    return _step(request, number, lambda s, v, b: change_set_withdraw(s, request.user, v, b.comment))


@router.post("change-sets/{int:number}/restore", tags=["change sets"], openapi_extra=takes(RestoreBody))
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Draft the undoing of an approved change set, as a change set of its own; needs no ``If-Match``."""
    found = change_set_read(number, request.user)
    body = body_of(request, RestoreBody)
    saved = services.undo(found, request.user, body)
    shown = change_set_read(saved.change_set.pk, request.user)
    response = answer(presenters.saved_json(saved, shown, request.user), status=201, version=shown.version)
    response["Location"] = f"/api/v1/change-sets/{shown.pk}"
    return response


def _step(request: HttpRequest, number: int, take: Callable[[ChangeSet, int, DecisionBody], ChangeSet]) -> HttpResponse:
    found = change_set_read(number, request.user)
    version = version_of(request, found.version)
    body = body_of(request, DecisionBody)
    try:
        take(found, version, body)
    except StaleEdit as error:
        return problem(error, version=change_set_read(number, request.user).version)
    except TopologyRefused as error:
        return problem(error, findings=presenters.findings_json(error.findings, found.place, request.user))
    shown = change_set_read(number, request.user)
    return answer(presenters.change_set_json(shown, request.user), version=shown.version)
