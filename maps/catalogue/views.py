"""Pages of the catalogue: the lists, a layer, and one row of it."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from analysis.disclosure import is_insider, people_fields
from analysis.selectors import city_get
from geo.errors import MahallehError
from geo.models import Place
from layers.models import Attachment, Layer, Release
from layers.permissions import may_edit_layers
from layers.services.attachments import may_attach
from layers.services.files import MOST_BYTES
from maps.catalogue import map_presenters, presenters, rows, selectors, wording
from maps.catalogue.asked import Table, table_from, wanted_from
from maps.catalogue.attachment_presenters import attachment_views
from maps.catalogue.list_presenters import list_view
from maps.catalogue.refusals import refusal_text
from maps.catalogue.table_presenters import cell_of, name_of, table_view, titles_of
from maps.catalogue.uses import uses_of
from maps.exports.presenters import export_form
from maps.exports.selectors import releases_of as exported_releases
from maps.pages.choosing import source_label
from maps.pages.reader import language

MOST_PICTURES: Final = 12


@require_safe
def layers(request: HttpRequest) -> HttpResponse:
    """Answer which data there are in all cities, and how fresh."""
    wanted = wanted_from(request.GET.dict())
    chosen = city_get(wanted.city, request.user) if wanted.city else None
    listing = selectors.layers_listed(request.user, wanted)
    context = {
        "wanted": wanted,
        "chosen": chosen,
        "listing": listing,
        "view": list_view(listing, wanted, None),
        "may_edit": selectors.may_edit_any(request.user),
        "import_address": import_address(chosen) if chosen and may_edit_layers(chosen, request.user) else "",
    }
    return render(request, "maps/catalogue/layers.html", context)


@require_safe
def city_layers(request: HttpRequest, city: str) -> HttpResponse:
    """Answer which data there are of a city, and how fresh."""
    place = city_get(city, request.user)
    wanted = wanted_from({**request.GET.dict(), "city": ""})
    listing = selectors.layers_listed(request.user, wanted, place)
    may_edit = may_edit_layers(place, request.user)
    context = {
        "city": place,
        "tab": "layers",
        "wanted": wanted,
        "listing": listing,
        "view": list_view(listing, wanted, place),
        "may_edit": may_edit,
        "import_address": import_address(place) if may_edit else "",
    }
    return render(request, "maps/catalogue/layers.html", context)


def import_address(city: Place) -> str:
    """Return where a file is brought for a city; empty while there is no such page."""
    try:
        return reverse("import", args=[city.code])
    except NoReverseMatch:
        return ""


@require_safe
def layer(request: HttpRequest, city: str, layer: str) -> HttpResponse:
    """Answer what a layer is, how fresh, what it holds and who uses it; ``part=table`` answers the table alone."""
    place = city_get(city, request.user)
    found = selectors.layer_get(place, layer, request.user)
    table = table_from(request.GET.dict())
    release = selectors.release_get(found, table.release)
    insider = is_insider(request.user, place)
    columns = columns_for(found, release, insider=insider)
    context: dict[str, Any] = {"city": place, "layer": found, "release": release, "asked": table}
    if release is not None and found.kind != Layer.Kind.RASTER:
        context["table"] = table_view(found, rows.page_of(release, table, columns), table, columns)
    if request.GET.get("part") == "table":
        return render(request, "maps/catalogue/_table.html", context)
    return render(
        request, "maps/catalogue/layer.html", context | _about(request, found, release, table, columns, insider)
    )


def columns_for(layer: Layer, release: Release | None, *, insider: bool) -> tuple[rows.Column, ...]:
    """Return the fields of a release; what counts people is guarded from readers without a role."""
    if release is None:
        return ()
    return rows.columns_of(layer, release, frozenset() if insider else people_fields(layer))


def _about(
    request: HttpRequest,
    layer: Any,
    release: Release | None,
    table: Table,
    columns: tuple[rows.Column, ...],
    insider: bool,
) -> dict[str, Any]:
    """Return all that a layer's page says besides the table."""
    user, place = request.user, layer.city
    releases = selectors.releases_of(layer)
    newest = releases[0].number if releases else 0
    is_newest = release is not None and release.number == newest
    uses = uses_of(layer, user)
    box = selectors.bounds_of(layer, release)
    may_edit = may_edit_layers(place, user)
    described = release.reference_date if release else None
    about = {
        "tab": "layers",
        "sentence": wording.sentence(layer, releases[0] if releases else None, layer.freshness, layer.due),
        "freshness_text": wording.freshness(layer.freshness, layer.due),
        "ago": wording.ago(described) if described else "",
        "amount": wording.amount(layer, release) if release else "",
        "seen_by": wording.seen_by(layer),
        "renewed": wording.span(layer.renewed_months) if layer.renewed_months else "",
        "archived_on": wording.stamp(layer.archived_at) if layer.archived_at else "",
        "lacking": _lacking(layer, releases[0] if releases else None),
        "extent": presenters.extent_text(box),
        "fields": presenters.fields_view(layer, columns),
        "releases": [presenters.release_view(layer, one, table, release, newest) for one in releases],
        "is_newest": is_newest,
        "quality": presenters.quality_view(layer, release, columns, is_insider=insider) if release else None,
        "uses": uses,
        "base_role": wording.base_role(uses.base_role) if uses.base_role else "",
        "travel_uses": [wording.travel_use(*use) for use in uses.travel],
        "source_uses": [(source_label(one), one.field, one.is_main) for one in uses.sources],
        "runs": presenters.run_views(uses),
        "is_insider": insider,
        "may_edit": may_edit,
        "export": export_form(layer, exported_releases(layer, user)),
        "import_address": import_address(place) if may_edit else "",
        "map": map_presenters.map_of(layer, release, box, user, is_newest=is_newest),
    }
    raster = getattr(release, "raster", None) if layer.kind == Layer.Kind.RASTER and release else None
    if raster is not None:
        tells = insider or not uses.counts_people
        about["raster_facts"] = presenters.raster_facts(raster, tells_extremes=tells)
        about["histogram"] = presenters.histogram(raster) if tells else ()
    return about | _pictures(request, layer, releases[0] if releases else None, may_edit)


def _pictures(request: HttpRequest, layer: Layer, release: Release | None, may_edit: bool) -> dict[str, Any]:
    seen = Attachment.objects.visible_to(request.user).filter(layer=layer, archived_at__isnull=True)
    found = list(seen.select_related("author").order_by("-created_at")[: MOST_PICTURES + 1])
    keys = [one.feature_key for one in found]
    by_key = rows.rows_by_key(layer, release, keys) if release and keys else {}
    shown = found[:MOST_PICTURES]
    return {
        "attachments": attachment_views(layer, shown, request.user, is_editor=may_edit, may_attach=False, rows=by_key),
        "more_attachments": len(found) > MOST_PICTURES,
        "may_attach": release is not None and layer.kind != Layer.Kind.RASTER and may_attach(layer, request.user),
    }


def _lacking(layer: Layer, release: Release | None) -> list[str]:
    """Return what is not said of the four things that every layer needs, as the page calls them."""
    texts = presenters.required_names()
    said = {
        "name_fa": bool(layer.name_fa),
        "name_en": bool(layer.name_en),
        "source": bool(layer.source),
        "date": release is None or release.reference_date is not None,
    }
    return [texts[name] for name, is_said in said.items() if not is_said]


@require_safe
def row(request: HttpRequest, city: str, layer: str, number: int) -> HttpResponse:
    """Answer what one row of a layer says, where it is, and what was photographed or written of it."""
    place = city_get(city, request.user)
    found = selectors.layer_get(place, layer, request.user)
    return row_page(request, found, number)


def row_page(
    request: HttpRequest, layer: Any, number: int, refusal: MahallehError | None = None, kept: Any = None
) -> HttpResponse:
    """Render the page of a row, after a refusal with what was typed."""
    place, user = layer.city, request.user
    release, held, columns = row_get(layer, number, insider=is_insider(user, place))
    titles = titles_of(layer, columns)
    units = {one["name"]: one.get("unit", "") for one in layer.schema}
    key = rows.key_of(layer, held)
    may_edit, attaches = may_edit_layers(place, user), may_attach(layer, user)
    seen = Attachment.objects.visible_to(user).filter(layer=layer, feature_key=key).select_related("author")
    if not (may_edit or attaches):
        seen = seen.filter(archived_at__isnull=True)
    context = {
        "city": place,
        "layer": layer,
        "release": release,
        "row": held,
        "tab": "layers",
        "title": name_of(held),
        "values": [(cell_of(held, column, titles[column.name]), units.get(column.name, "")) for column in columns],
        "point": presenters.point_text(held.lon, held.lat),
        "map": map_presenters.map_of(layer, release, held.box, user, is_newest=True, chosen=held),
        "may_edit": may_edit,
        "may_attach": attaches,
        "is_keyed": bool(layer.key_field),
        "attachments": attachment_views(layer, seen, user, is_editor=may_edit, may_attach=attaches),
        "refusal": refusal and refusal_text(refusal),
        "kept": kept or {},
        "most_mb": MOST_BYTES // 1_000_000,
        "language": language(),
    }
    return render(request, "maps/catalogue/row.html", context, status=refusal.status if refusal else 200)


def row_get(layer: Layer, number: int, *, insider: bool) -> tuple[Release, rows.Row, tuple[rows.Column, ...]]:
    """Return a row of a layer's newest release with the release and its fields.

    Raises
    ------
    NotFound
        Where there is none.
    """
    release = selectors.release_get(layer, None)
    if release is None or layer.kind == Layer.Kind.RASTER:
        raise rows.no_row(layer, number)
    columns = columns_for(layer, release, insider=insider)
    return release, rows.row_of(release, number, columns), columns
