"""Pages on which data are brought: the form with the file, and the page of an upload from its arrival to the release."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import shapely
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from ninja.utils import check_csrf

from geo.errors import Conflict, Forbidden, InvalidInput, MahallehError, NotFound
from geo.models import Place
from layers.models import Layer, Theme, Upload
from layers.selectors import city_bounds, upload_get, uploads_of
from layers.services.uploads import new_layer_checked, upload_cancel, upload_change, upload_create, upload_store
from maps.assets import worker_url
from maps.imports import forms, joins, osm, plans, selectors, wording
from maps.imports.presenters import may
from maps.imports.receiving import announced_required, received_form
from maps.pages.reader import language
from maps.pages.selectors import base_layers
from maps.problems import Told, members_told, problem_of

State = Upload.State
RUNNING = (State.RECEIVED, State.EXAMINING, State.STORING)


@csrf_exempt  # the token is looked at below, since looking at it reads the form, and with it the file
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bring(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form that takes a file in, and the city's uploads; take one in."""
    place = selectors.import_city(city, request.user)
    if request.method != "POST":
        which = "existing" if request.GET.get("layer") else "later"
        target = forms.target_from({"which": which, "layer": request.GET.get("layer", "")})
        return _bring_page(request, place, replace(target, wrong={}))
    try:
        made = _taken_in(request, place)
    except (InvalidInput, Conflict) as error:  # of which a limit that is passed is one
        if _wants_json(request):
            raise
        return _bring_page(request, place, forms.Target(), error)
    address = reverse("upload", args=[made.pk])
    if _wants_json(request):
        return JsonResponse({"address": address}, status=201)
    return redirect(address)


def _taken_in(request: HttpRequest, city: Place) -> Upload:
    try:
        announced_required(request)
        handler, texts = received_form(request)
    except MahallehError:
        _token_required(request)  # of two reasons to refuse, a stranger is told this one
        raise
    try:
        _token_required(request)
        assert handler.received is not None  # noqa: S101 - `received_form` refuses it
        target = forms.target_from(texts)
        return upload_create(
            city=city,
            author=request.user,
            received=handler.received,
            layer=_layer_of(city, target, request),
            new_layer=_usable(city, target),
            reference_date=target.reference_date,
            organisation=_organisation(city, target, request),
        )
    finally:
        handler.discard()


def _token_required(request: HttpRequest) -> None:
    if check_csrf(request) is not None:
        raise Forbidden(
            "The form does not carry the token of the page it was made from.",
            code="csrf",
            where="csrfmiddlewaretoken",
            remedy="Load the page again.",
        )


def _layer_of(city: Place, target: forms.Target, request: HttpRequest) -> Layer | None:
    """Return the layer that was chosen; where it cannot be used, it is chosen when the file is examined."""
    try:
        return selectors.import_layer(city, target.layer, request.user) if target.which == "existing" else None
    except NotFound:
        return None


def _usable(city: Place, target: forms.Target) -> dict[str, str]:
    """Return what was said of a new layer without what cannot be used: the file is kept, and the rest said later."""
    said = target.new_layer
    for _attempt in range(len(forms.NEW_LAYER)):
        try:
            return new_layer_checked(city, said)
        except MahallehError as error:
            if said.pop(error.where.removeprefix("new_layer."), None) is None:
                return {}
    return said


def _organisation(city: Place, target: forms.Target, request: HttpRequest) -> str:
    try:
        return selectors.organisation_code(city, target.organisation, request.user)
    except InvalidInput:
        return ""


def _bring_page(
    request: HttpRequest, city: Place, target: forms.Target, error: MahallehError | None = None
) -> HttpResponse:
    listed = [(one, wording.state_word(one), one.state in RUNNING) for one in uploads_of(city, request.user)]
    context = {
        "city": city,
        "tab": "layers",
        "uploads": listed,
        "formats": wording.FORMATS,
        "accept": wording.ACCEPT,
        "most": wording.size(settings.UPLOAD_MAX_BYTES),
        "refusal": _refusal(error) if error is not None else None,
        **_target_context(request, city, target),
    }
    return render(request, "maps/imports/bring.html", context, status=error.status if error is not None else 200)


def _target_context(request: HttpRequest, city: Place, target: forms.Target) -> dict[str, Any]:
    """Return what the form about the layer needs to be drawn."""
    layers = Layer.objects.editable_by(request.user).current().filter(city=city).select_related("theme")
    examples = ("۱۴۰۴/۰۷/۰۱", "2025-09-23")
    by_name = "name_en" if language() == "en" else "name_fa"
    return {
        "target": target,
        "layers": list(layers.order_by("theme__code", by_name)),
        "themes": list(Theme.objects.all()),
        "purposes": forms.purposes(),
        "visibilities": forms.visibilities(),
        "organisations": selectors.organisations_in(city, request.user),
        "day_examples": [f"\u2066{day}\u2069" for day in (examples if language() == "fa" else reversed(examples))],
    }


# ---- one upload


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def upload(request: HttpRequest, upload: Any) -> HttpResponse:
    """Answer how an upload stands and what was found; take what a person decides about it."""
    found = upload_get(upload, request.user)
    if request.method != "POST":
        return _upload_page(request, found)
    columns = [one["name"] for one in (found.report or {}).get("fields", [])]
    said = request.POST.dict()
    asked = forms.reading_from(said, found.options, columns, found.mapping)
    has_target = "which" in said
    target = forms.target_from(said, is_whole=asked.do == "store") if has_target else forms.target_of(found)
    if has_target and asked.mapping is not None:
        forms.with_key(target, said, asked.mapping)
    if asked.do == "cancel":
        return _cancelled(request, found)
    if asked.wrong or (target.wrong and asked.do == "store"):
        return _upload_page(request, found, asked=asked, target=target, status=400)
    try:
        _decide(request, found, asked, target)
    except NotFound:
        raise
    except MahallehError as error:
        is_told = isinstance(error, InvalidInput) and target.blame(error)
        now = upload_get(found.pk, request.user)
        return _upload_page(
            request, now, asked=asked, target=target, error=None if is_told else error, status=error.status
        )
    return redirect("upload", found.pk)


def _decide(request: HttpRequest, found: Upload, asked: forms.Reading, target: forms.Target) -> None:
    """Have an upload examined otherwise, or stored; whoever changed something and stores has it examined first."""
    version = asked.version if asked.version is not None else 0
    is_otherwise = forms.is_changed(found, asked, target)
    if asked.do == "store" and not is_otherwise:
        upload_store(found, version)
        return
    layer = _layer_of(found.city, target, request)
    new_layer: dict[str, str] | None = None
    if layer is None:
        new_layer = (
            new_layer_checked(found.city, target.new_layer) if asked.do == "store" else _usable(found.city, target)
        )
    options, mapping = dict(asked.options), asked.mapping
    names_change = any(
        (options.get(name) or "") != (found.options.get(name) or "")
        for name in ("encoding", "layer")
        if options.get(name) != (found.report.get("encoding") or {}).get("name")
    )
    is_other_layer = (layer.pk if layer else None) != found.layer_id
    untouched = mapping is not None and forms.plain(mapping) == forms.plain(found.mapping)
    if mapping is not None and options.get("rules") != found.options.get("rules"):
        known = osm.fields_of_rule(options)
        mapping = [rule for rule in mapping if rule["source"] in known]
    if names_change or (is_other_layer and untouched):  # the fields have other names now, or other ones to become
        mapping = []
        options.pop("name_field", None)
    upload_change(
        found,
        version,
        options=options,
        mapping=mapping,
        layer=layer,
        new_layer=new_layer,
        reference_date=target.reference_date,
        organisation=_organisation(found.city, target, request),
    )
    if asked.do == "store":
        messages.info(request, _("You changed something, so the file is examined with it first. Then store it."))


def _cancelled(request: HttpRequest, found: Upload) -> HttpResponse:
    try:
        upload_cancel(found)
    except Conflict as error:
        return _upload_page(request, upload_get(found.pk, request.user), error=error, status=error.status)
    return redirect("upload", found.pk)


def _upload_page(
    request: HttpRequest,
    found: Upload,
    *,
    asked: forms.Reading | None = None,
    target: forms.Target | None = None,
    error: MahallehError | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page of an upload, after a refusal with what was chosen."""
    city = found.city
    bounds = city_bounds(city)
    can = may(found)
    stands = forms.target_of(found)
    if stands.which == "later" and "change" in can:
        stands.which = "new"
        stands.values |= osm.new_layer_of(found.report or {}, found.options)
    context: dict[str, Any] = {
        "city": city,
        "tab": "layers",
        "upload": found,
        "sentence": wording.state_sentence(found),
        "step": wording.step_word(found),
        "is_running": found.state in RUNNING,
        "may": can,
        "refusal": _refusal(error) if error is not None else None,
        "asked": asked,
        "size": wording.size(found.size),
        "epsg_entry": asked.epsg if asked is not None else "",
    }
    if found.state in (State.EXAMINED, State.FAILED):
        options = asked.options if asked is not None else found.options
        mapping = asked.mapping if asked is not None and asked.mapping is not None else found.mapping
        context |= {
            "joins": joins.join_view(found, request.user, options),
            "view": plans.plan_view(found, _outline_needed(found), options=options, mapping=mapping),
            "options": options,
            "types": wording.TYPES.items(),
            "units": wording.units(),
            "next_number": _next_number(found),
            "layer_name": wording.layer_name(found),
            "failure": _failure(found),
            **_target_context(request, city, target or stands),
        }
        context["config"] = _config(request, city, found, bounds)
    if found.state == State.STORED and found.release is not None:
        said = found.release.difference or {}
        sentence, changes = plans.difference_view(said, found)
        former = found.release.layer.releases.filter(number__lt=found.release.number).order_by("-number").first()
        context |= {"changes_sentence": sentence, "changes": changes, "release": found.release}
        context["former"] = former.number if former is not None else None
        context["config"] = _config(request, city, found, found.release.bounds_4326 or bounds)
    response = render(request, "maps/imports/upload.html", context, status=status)
    response["Cache-Control"] = "private, no-store"
    return response


def _outline_needed(found: Upload) -> shapely.Geometry | None:
    """Return the outline of the city where the page draws points over it."""
    is_drawn = bool(((found.report or {}).get("crs") or {}).get("candidates"))
    return selectors.city_outline(found.city) if is_drawn else None


def _next_number(found: Upload) -> int:
    last = found.layer.releases.order_by("-number").values_list("number", flat=True).first() if found.layer else None
    return int(last or 0) + 1


def _failure(found: Upload) -> dict[str, Any] | None:
    """Return why an upload failed, in the reader's words."""
    problem = found.problem
    if not problem:
        return None
    told = members_told({"title": problem.get("message", ""), "code": "", "remedy": ""} | problem)
    kind = wording.fault(told["code"], Told("error", told["code"], told["title"], told["remedy"], ""))
    return {
        "title": kind.title,
        "advice": kind.advice,
        "message": told["title"] if kind.title != told["title"].rstrip(".") else "",
        "where": told.get("place") or told.get("where", ""),
        "remedy": told["remedy"],
    }


def _refusal(error: MahallehError) -> dict[str, str]:
    told = {"remedy": ""} | problem_of(error)
    kind = wording.fault(error.code, Told("error", error.code, told["title"], told["remedy"], ""))
    is_told = error.code in ("stale_version", "wrong_state", "no_file") or kind.title == told["title"].rstrip(".")
    detail = "" if is_told else f"{told['title']} {told['remedy']}".strip()
    return {"code": error.code, "title": kind.title, "advice": kind.advice, "detail": detail}


def _config(request: HttpRequest, city: Place, found: Upload, bounds: Any) -> dict[str, Any]:
    """Return what the map of the page needs."""
    is_stored = found.state == State.STORED
    own = found.report.get("bounds") if found.report else None
    layer = found.layer
    return {
        "language": language(),
        "csrf": get_token(request),
        "bounds": list(own or bounds or ()) or None,
        "urls": {
            "tiles": f"/tiles/{city.code}/",
            "worker": worker_url(),
            "preview": None if is_stored else f"/api/v1/uploads/{found.pk}/preview.geojson",
            "problems": None if is_stored else f"/api/v1/uploads/{found.pk}/problems.geojson",
            "repairs": None if is_stored else reverse("upload-repairs", args=[found.pk]),
        },
        "stored": {"code": layer.code, "kind": layer.kind, "release": found.release.number}
        if is_stored and layer is not None and found.release is not None
        else None,
        "layers": base_layers(city, request.user),
        "colours": ["rgba(0,0,0,0)"],
        "points": {},
    }


@require_safe
@login_required
def state(request: HttpRequest, upload: Any) -> HttpResponse:
    """Answer how far an upload is: little, and often asked."""
    found = upload_get(upload, request.user)
    response = JsonResponse(
        {
            "state": found.state,
            "version": found.version,
            "is_running": found.state in RUNNING,
            "sentence": wording.state_sentence(found) if found.state in RUNNING else "",
            "step": wording.step_word(found) if found.state in RUNNING else "",
            "share": min(found.done / found.of, 1.0) if found.of else None,
        },
        json_dumps_params={"ensure_ascii": False},
    )
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
@login_required
def repairs(request: HttpRequest, upload: Any) -> HttpResponse:
    """Answer with the shapes that a repair would make of those that are not valid."""
    found = upload_get(upload, request.user)
    response = JsonResponse(plans.repairs(found), content_type="application/geo+json")
    response["Cache-Control"] = "private, no-store"
    return response


def _wants_json(request: HttpRequest) -> bool:
    return "json" in request.headers.get("Accept", "")
