"""The page on which a former release of a layer is brought back, after a look at what would change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from analysis.selectors import city_get
from geo.errors import Conflict
from layers.models import Layer, Release
from layers.services.layers import changing_required
from layers.services.restoring import release_restore, restorable_required, restoring_difference
from maps.catalogue import presenters, selectors, wording
from maps.catalogue.refusals import refusal_text
from maps.pages import formats
from maps.pages.reader import language


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def restore(request: HttpRequest, city: str, layer: str, number: int) -> HttpResponse:
    """Show what bringing a release back would change; do it."""
    place = city_get(city, request.user)
    found = selectors.layer_get(place, layer, request.user)
    changing_required(found, request.user)
    former = selectors.release_get(found, number)
    assert former is not None  # noqa: S101 - a number was given
    if request.method != "POST":
        return _page(request, former)
    seen = request.POST.get("seen", "")
    try:
        made = release_restore(former, request.user, seen=int(seen) if seen.isdecimal() and len(seen) < 10 else 0)
    except Conflict as error:
        return _page(request, former, error)
    said = {"n": formats.number(former.number, language()), "new": formats.number(made.number, language())}
    messages.success(request, _("Release %(new)s of the layer is now as release %(n)s was.") % said)
    return redirect("layer", place.code, found.code)


def _page(request: HttpRequest, former: Release, error: Conflict | None = None) -> HttpResponse:
    layer: Layer = former.layer
    context: dict[str, Any] = {"city": layer.city, "layer": layer, "former": former, "tab": "layers"}
    try:
        newest = restorable_required(former)
    except Conflict as refused:
        error = error or refused
    else:
        difference = restoring_difference(former)
        context |= {
            "newest": newest,
            "next": newest.number + 1,
            "changes": [phrase for _code, _n, phrase in wording.difference(difference)],
            "examples": presenters.changed_names(difference),
            "is_compared": bool(difference),
        }
    for name, release in (("former", former), ("newest", context.get("newest"))):
        if release is not None:
            context[f"{name}_amount"] = wording.amount(layer, release)
            context[f"{name}_stored"] = wording.stamp(release.created_at)
    context["refusal"] = refusal_text(error) if error is not None else None
    return render(request, "maps/catalogue/restore.html", context, status=error.status if error is not None else 200)
