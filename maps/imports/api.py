"""Uploads over JSON, below ``/api/v1/``: thin; what is decided is decided by `layers.services.uploads`."""

from __future__ import annotations

import copy
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.utils import check_csrf

from geo.errors import Conflict, Forbidden
from layers.models import Upload
from layers.selectors import made_of, upload_get, uploads_of
from layers.services.uploads import upload_cancel, upload_change, upload_create, upload_store
from maps.api.answers import answer, problem, version_of
from maps.api.bodies import body_of, takes
from maps.errors import NotSignedIn, PreconditionRequired
from maps.imports import selectors
from maps.imports.bodies import UploadForm, UploadPatch, form_of
from maps.imports.presenters import address_of, upload_json
from maps.imports.receiving import announced_required, received_form

router = Router(tags=["uploads"])

_FORM: Final = "multipart/form-data"


def _receiver(request: HttpRequest) -> Any:
    """Return who brings a file, and refuse all that can be refused before anything of it is read.

    The token of the page must be in the header: a form is read only when the rest is in order.

    Raises
    ------
    NotSignedIn, Forbidden, NotFound
        Where nobody is signed in, the token is missing, or the person may not bring data for this city.
    UnsupportedMedia, LimitExceeded, InvalidInput
        Where there is no form with a file, or it says that it is too large.
    """
    if not request.user.is_authenticated:
        raise NotSignedIn("Bringing data needs an account.", remedy="Sign in at /accounts/login/.")
    bodiless = copy.copy(request)
    bodiless.method = "PUT"  # of a POST, Django would look for the token in the form first
    if check_csrf(bodiless) is not None:
        raise Forbidden(
            "The request does not carry the token of the page it was made from.",
            code="csrf",
            where="X-CSRFToken",
            remedy="Load the page again.",
        )
    match = request.resolver_match
    selectors.import_city(str(match.kwargs["city"]) if match else "", request.user)
    announced_required(request)
    return request.user


@router.post("cities/{slug:city}/uploads", auth=_receiver, openapi_extra=takes(UploadForm, _FORM))
def upload_post(request: HttpRequest, city: str) -> HttpResponse:
    """Take a file in (part ``file`` of a form), for a layer of the city or a new one, and have it examined."""
    place = selectors.import_city(city, request.user)
    handler, texts = received_form(request)
    try:
        said = form_of(texts)
        assert handler.received is not None  # noqa: S101 - `received_form` refuses it
        made = upload_create(
            city=place,
            author=request.user,
            received=handler.received,
            layer=selectors.import_layer(place, said.layer, request.user),
            new_layer=_given(said),
            options=said.options.said() if said.options is not None else None,
            reference_date=said.reference_date,
            organisation=selectors.organisation_code(place, said.organisation, request.user),
        )
    finally:
        handler.discard()
    response = answer(upload_json(made), status=201, version=made.version)
    response["Location"] = address_of(made)
    return response


@router.get("cities/{slug:city}/uploads")
def upload_list(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the newest uploads of a city, whoever brought them."""
    place = selectors.import_city(city, request.user)
    return answer({"uploads": [upload_json(one, whole=False) for one in uploads_of(place, request.user)]})


@router.get("uploads/{uuid:upload}")
def upload_read(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Answer with an upload as it stands: how far it is, what was found, why it failed."""
    found = upload_get(upload, request.user)
    return answer(upload_json(found), version=found.version)


@router.patch("uploads/{uuid:upload}", openapi_extra=takes(UploadPatch))
def upload_patch(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Say how it is to be read, what its fields become, which layer it is for; it is examined again. Needs ``If-Match``."""
    found = upload_get(upload, request.user)
    version = _version(request, found)
    said = body_of(request, UploadPatch)
    try:
        changed = upload_change(
            found,
            version,
            options=said.options.said() if said.options is not None else None,
            mapping=[rule.model_dump() for rule in said.mapping] if said.mapping is not None else None,
            layer=selectors.import_layer(found.city, said.layer, request.user),
            new_layer=_given(said),
            reference_date=said.reference_date,
            organisation=None
            if said.organisation is None
            else selectors.organisation_code(found.city, said.organisation, request.user),
        )
    except Conflict as error:
        return problem(error, version=upload_get(upload, request.user).version)
    return answer(upload_json(changed), version=changed.version)


@router.post("uploads/{uuid:upload}/store")
def upload_store_(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Store it as the next release of its layer, whole or not at all. Needs ``If-Match``."""
    found = upload_get(upload, request.user)
    try:
        stored = upload_store(found, _version(request, found))
    except Conflict as error:
        return problem(error, version=upload_get(upload, request.user).version)
    return answer(upload_json(stored), status=202, version=stored.version)


@router.post("uploads/{uuid:upload}/cancel")
def upload_cancel_(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Give it up, in whatever state it is; nothing of it is left."""
    given_up = upload_cancel(upload_get(upload, request.user))
    return answer(upload_json(given_up), version=given_up.version)


@router.get("uploads/{uuid:upload}/preview.geojson")
def upload_preview(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Answer with some of its features, spread over all of it."""
    return _file(upload_get(upload, request.user), "preview.geojson")


@router.get("uploads/{uuid:upload}/problems.geojson")
def upload_problems(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Answer with the problems that have a place."""
    return _file(upload_get(upload, request.user), "problems.geojson")


def _file(upload: Upload, name: str) -> HttpResponse:
    response = HttpResponse(made_of(upload, name), content_type="application/geo+json")
    response["Cache-Control"] = "private, no-store"
    return response


def _given(said: UploadPatch) -> dict[str, Any] | None:
    return said.new_layer.model_dump(exclude_defaults=True) if said.new_layer is not None else None


def _version(request: HttpRequest, upload: Upload) -> int:
    try:
        return version_of(request, upload.version)
    except PreconditionRequired as error:
        raise PreconditionRequired(
            "The write does not say on which version of the upload it is based.",
            where="If-Match",
            remedy='Send the version that was read, such as If-Match: "3".',
        ) from error
