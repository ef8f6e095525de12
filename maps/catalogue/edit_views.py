"""Pages for those who may change layers: describe one, put it away, bring it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from analysis.selectors import city_get
from geo.errors import Conflict, MahallehError
from layers.models import Layer, Theme
from layers.services.layers import changing_required, layer_archive, layer_describe, layer_restore, layer_state
from maps.catalogue import selectors
from maps.catalogue.forms import LayerForm, latin_digits, schema_of, schema_rows
from maps.catalogue.refusals import refusal_text
from maps.catalogue.views import columns_for


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, city: str, layer: str) -> HttpResponse:
    """Show the description of a layer as a form, and take it; what somebody else said meanwhile is shown, not written over."""
    place = city_get(city, request.user)
    found = selectors.layer_get(place, layer, request.user)
    changing_required(found, request.user)
    columns = columns_for(found, selectors.release_get(found, None), insider=True)
    if request.method != "POST":
        return _page(request, found, LayerForm(found, columns), schema_rows(found, columns), layer_state(found))
    form = LayerForm(found, columns, latin_digits(request.POST))
    shown = schema_rows(found, columns, request.POST.dict())
    seen = request.POST.get("seen", "")[:64]
    if not form.is_valid():
        return _page(request, found, form, shown, seen, status=400)
    try:
        layer_describe(found, request.user, seen, form.changes() | {"schema": schema_of(found, shown)})
    except Conflict as error:
        now = Layer.objects.select_related("city", "theme").get(pk=found.pk)
        return _page(request, now, form, shown, layer_state(now), error=error, differs=_differences(now, form))
    except MahallehError as error:
        return _page(request, found, form, shown, seen, error=error)
    messages.success(request, _("Saved. This is what everybody who sees the layer reads now."))
    return redirect("layer", place.code, found.code)


def _differences(now: Layer, form: LayerForm) -> dict[str, str]:
    """Return by field what is there now, where the form says something else."""
    themes = {theme.code: theme.name for theme in Theme.objects.all()}
    found = {}
    for name, typed in form.cleaned_data.items():
        held: Any = now.theme.code if name == "theme" else getattr(now, name)
        if (sorted(held) if isinstance(held, list) else held or "") == (
            sorted(typed) if isinstance(typed, list) else typed or ""
        ):
            continue
        if name == "theme":
            found[name] = themes[held]
        elif name in ("purpose", "visibility"):
            found[name] = str(getattr(now, f"get_{name}_display")())
        else:
            found[name] = ", ".join(held) if isinstance(held, list) else str(held or "–")
    return found


def _page(
    request: HttpRequest,
    layer: Layer,
    form: LayerForm,
    fields: list[dict[str, str]],
    seen: str,
    *,
    error: MahallehError | None = None,
    differs: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "city": layer.city,
        "layer": layer,
        "tab": "layers",
        "form": form,
        "fields": fields,
        "seen": seen,
        "refusal": error and refusal_text(error),
        "is_stale": error is not None and error.code == "stale_layer",
        "differs": differs or {},
    }
    return render(request, "maps/catalogue/edit.html", context, status=error.status if error else status)


@require_POST
@login_required
def archive(request: HttpRequest, city: str, layer: str) -> HttpResponse:
    """Put a layer away, or bring it back."""
    place = city_get(city, request.user)
    found = selectors.layer_get(place, layer, request.user)
    if request.POST.get("do") == "restore":
        layer_restore(found, request.user)
        messages.success(request, _("The layer is back in the lists."))
    else:
        layer_archive(found, request.user)
        messages.success(request, _("The layer is archived: it left the lists, and what uses it still finds it."))
    return redirect("layer", place.code, found.code)
