"""The admin of places and layers: boundaries are edited as GeoJSON with located faults, and history stays as it was."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest
import shapely
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client

from geo.admin.geometry import GeometryMap, MultiPolygonField
from geo.models import Boundary, Place
from geo.services import to_geos
from layers.models import Layer, Theme
from maps.assets import import_map_json

pytestmark = pytest.mark.django_db

SHAPE = shapely.box(48.0, 33.0, 48.01, 33.01)
HOLED = SHAPE.difference(shapely.box(48.002, 33.002, 48.004, 33.004))


@pytest.fixture
def client() -> Client:
    made = Client()
    made.force_login(User.objects.create_superuser("admin-tester"))
    made.cookies["language"] = made.cookies["django_language"] = "en"
    return made


@pytest.fixture
def quarter() -> Place:
    city = Place.objects.create(kind="city", code="admintown", name_fa="ش", name_en="Admintown", is_published=True)
    return Place.objects.create(kind="neighbourhood", code="aq", parent=city, name_fa="م", name_en="Quarter")


def edition(place: Place, status: str = "draft", **changes: Any) -> Boundary:
    values = {
        "geometry": to_geos(shapely.MultiPolygon([SHAPE])),
        "valid": DateRange(date(2024, 1, 1), None),
        "source": "survey",
        "status": status,
    }
    return Boundary.objects.create(place=place, **(values | changes))


def form_of(client: Client, url: str) -> dict[str, str]:
    """Return the fields of an admin form as a browser would send them back."""
    form = client.get(url).context["adminform"].form
    values: dict[str, str] = {}
    for name in form.fields:
        bound = form[name]
        value = bound.value()
        if name == "valid":
            lower, upper = value or ("", "")
            values |= {"valid_0": str(lower or ""), "valid_1": str(upper or "")}
        elif name == "geometry":
            values[name] = bound.field.widget.format_value(value)
        else:
            values[name] = str(value or "")
    return values


def errors_of(response: Any) -> str:
    return re.sub(r"<[^>]+>", " ", str(response.context["adminform"].form.errors))


# ---------------------------------------------------------------- the field


@pytest.mark.parametrize(
    "given",
    [
        shapely.to_geojson(HOLED),
        shapely.to_geojson(shapely.MultiPolygon([HOLED, shapely.box(49, 33, 49.01, 33.01)])),
        json.dumps({"type": "Feature", "properties": {"a": 1}, "geometry": json.loads(shapely.to_geojson(SHAPE))}),
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [{"type": "Feature", "geometry": json.loads(shapely.to_geojson(SHAPE))}],
            }
        ),
        '{"type": "Polygon", "coordinates": [[[48, 33, 900], [48.01, 33, 900], [48.01, 33.01, 900], [48, 33, 900]]]}',
    ],
)
def test_geojson_in_every_wrapping_is_taken(given: str) -> None:
    read = MultiPolygonField().clean(given)
    assert (read.geom_type, read.srid, read.hasz, read.valid) == ("MultiPolygon", 4326, False, True)


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("{", "not_json", "line 1, column 2"),
        ("null", "not_polygonal", "polygon"),
        ("[1, 2]", "not_polygonal", "polygon"),
        ('"text"', "not_polygonal", "polygon"),
        ('{"type": "Point", "coordinates": [48, 33]}', "not_polygonal", "polygon"),
        ('{"type": "FeatureCollection", "features": []}', "not_one_feature", "exactly one"),
        ('{"type": "FeatureCollection", "features": 7}', "not_one_feature", "exactly one"),
        ('{"type": "Feature", "geometry": null}', "not_polygonal", "polygon"),
        ('{"type": "Polygon"}', "bad_geojson", "rings"),
        ('{"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], ["a", "b"]]]}', "bad_geojson", "rings"),
        ('{"type": "Polygon", "coordinates": [[[48, 33], [49, 33], [48, 33]]]}', "invalid", "itself"),
        ('{"type": "Polygon", "coordinates": [[[48, NaN], [49, 33], [49, 34], [48, NaN]]]}', "not_finite", "NaN"),
        ('{"type": "Polygon", "coordinates": [[[48, 1e999], [49, 33], [49, 34], [48, 1e999]]]}', "not_finite", "finite"),
        ('{"type": "Polygon", "coordinates": []}', "empty", "empty"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}', "invalid", "(1.000000, 1.000000)"),
        ('{"type": "Polygon", "coordinates": [[[29e4, 37e5], [291e3, 37e5], [291e3, 371e4], [29e4, 37e5]]]}', "out_of_range", "EPSG:4326"),
        ('{"type": "Polygon", "coordinates": [[[-179, 0], [179, 0], [179, 1], [-179, 0]]]}', "crosses_antimeridian", "180th"),
        ('{"type": "Polygon", "coordinates": ' + "[" * 2000 + "]" * 2000 + "}", "bad_geojson", "rings"),
        ("x" * 2_000_000, "too_long", "longer"),
    ],
)  # fmt: skip
def test_faults_are_said_with_their_place(given: str, code: str, said: str) -> None:
    from django.utils.translation import override

    with override("en"):
        with pytest.raises(ValidationError) as caught:
            MultiPolygonField().clean(given)
        assert {error.code for error in caught.value.error_list} == {code}
        assert said in " ".join(caught.value.messages)


def test_the_same_geometry_written_otherwise_is_no_change() -> None:
    stored = to_geos(shapely.MultiPolygon([HOLED]))
    text = MultiPolygonField().widget.format_value(stored)
    assert not MultiPolygonField().has_changed(stored, text)
    assert not MultiPolygonField().has_changed(stored, json.dumps(json.loads(text), indent=4))
    assert MultiPolygonField().has_changed(stored, text.replace("48.002", "48.0021"))
    assert MultiPolygonField().has_changed(stored, "nonsense")


def test_hostile_text_comes_back_harmless() -> None:
    shown = GeometryMap().render("geometry", '</textarea><script>alert("x")</script>', {"id": "g"})
    assert "<script>" not in shown


# ---------------------------------------------------------------- boundaries


def test_a_draft_is_edited_and_keeps_its_precision(client: Client, quarter: Place) -> None:
    draft = edition(quarter)
    url = f"/admin/geo/boundary/{draft.pk}/change/"
    values = form_of(client, url)
    assert client.post(url, {**values, "source": "walked in spring"}).status_code == 302
    draft.refresh_from_db()
    assert draft.source == "walked in spring"
    assert draft.geometry.equals_exact(to_geos(shapely.MultiPolygon([SHAPE])))
    values = form_of(client, url)
    assert client.post(url, {**values, "geometry": shapely.to_geojson(HOLED)}).status_code == 302
    draft.refresh_from_db()
    assert draft.geometry.equals_exact(to_geos(shapely.MultiPolygon([HOLED])))


def test_a_fault_is_shown_at_its_place_and_what_was_entered_stays(client: Client, quarter: Place) -> None:
    draft = edition(quarter)
    url = f"/admin/geo/boundary/{draft.pk}/change/"
    bow_tie = '{"type": "Polygon", "coordinates": [[[48, 33], [48.02, 33.02], [48.02, 33], [48, 33.02], [48, 33]]]}'
    answer = client.post(url, {**form_of(client, url), "geometry": bow_tie, "source": "mine"})
    assert answer.status_code == 200
    assert "48.010000, 33.010000" in errors_of(answer)
    page = answer.content.decode()
    assert 'data-fault="[48.01, 33.01]"' in page
    assert "48.02, 33.02" in page
    assert 'value="mine"' in page
    draft.refresh_from_db()
    assert draft.source == "survey"


def test_a_stale_form_is_refused_and_nothing_is_lost(client: Client, quarter: Place) -> None:
    draft = edition(quarter)
    url = f"/admin/geo/boundary/{draft.pk}/change/"
    mine, theirs = form_of(client, url), form_of(client, url)
    assert client.post(url, {**theirs, "source": "theirs"}).status_code == 302
    answer = client.post(url, {**mine, "source": "mine"})
    assert answer.status_code == 200
    assert "Somebody saved this edition" in errors_of(answer)
    assert 'value="mine"' in answer.content.decode()
    draft.refresh_from_db()
    assert draft.source == "theirs"


def test_the_geometry_of_an_approved_edition_cannot_be_changed(client: Client, quarter: Place) -> None:
    approved = edition(quarter, "approved")
    url = f"/admin/geo/boundary/{approved.pk}/change/"
    values = form_of(client, url)
    assert not {"geometry", "source", "certainty", "place"} & set(values)
    forged = {
        **values,
        "geometry": shapely.to_geojson(HOLED),
        "source": "forged",
        "certainty": "disputed",
        "place": "1",
    }
    assert client.post(url, forged).status_code == 302
    approved.refresh_from_db()
    assert approved.geometry.equals_exact(to_geos(shapely.MultiPolygon([SHAPE])))
    assert (approved.source, approved.certainty, approved.place_id) == ("survey", "modelled", quarter.pk)
    page = client.get(url).content.decode()
    assert "data-geometry-map" in page
    assert "data-editable" not in page
    assert 'name="geometry"' not in page


def test_an_approved_edition_may_end_but_not_begin_anew(client: Client, quarter: Place) -> None:
    approved = edition(quarter, "approved")
    url = f"/admin/geo/boundary/{approved.pk}/change/"
    answer = client.post(url, {**form_of(client, url), "valid_0": "2020-01-01"})
    assert "beginning of an approved edition" in errors_of(answer)
    answer = client.post(url, {**form_of(client, url), "status": "draft"})
    assert answer.status_code == 200
    assert client.post(url, {**form_of(client, url), "valid_1": "2026-01-01"}).status_code == 302
    approved.refresh_from_db()
    assert (approved.status, approved.valid.upper) == ("approved", date(2026, 1, 1))
    assert client.post(url, {**form_of(client, url), "status": "withdrawn"}).status_code == 302
    approved.refresh_from_db()
    assert approved.status == "withdrawn"
    assert client.post(url, {"status": "approved", "valid_0": "2024-01-01"}).status_code == 403
    page = client.get(url)
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


def test_two_approved_editions_at_a_time_are_refused_in_words(client: Client, quarter: Place) -> None:
    edition(quarter, "approved")
    draft = edition(quarter)
    url = f"/admin/geo/boundary/{draft.pk}/change/"
    answer = client.post(url, {**form_of(client, url), "status": "approved"})
    assert answer.status_code == 200
    assert "Another approved edition" in errors_of(answer)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [("", ""), ("2025-01-01", "2024-01-01"), ("2024-01-01", "2024-01-01"), ("soon", ""), ("0000-00-00", "")],
)
def test_a_valid_time_that_is_none_is_refused_in_words(client: Client, quarter: Place, lower: str, upper: str) -> None:
    draft = edition(quarter)
    url = f"/admin/geo/boundary/{draft.pk}/change/"
    answer = client.post(url, {**form_of(client, url), "valid_0": lower, "valid_1": upper})
    assert answer.status_code == 200
    assert errors_of(answer)


def test_a_new_edition_is_numbered_and_signed(client: Client, quarter: Place) -> None:
    edition(quarter, "approved")
    values = {
        "place": str(quarter.pk),
        "status": "draft",
        "valid_0": "2026-01-01",
        "valid_1": "",
        "source": "walk",
        "certainty": "walked",
        "geometry": shapely.to_geojson(HOLED),
    }
    assert client.post("/admin/geo/boundary/add/", values).status_code == 302
    made = Boundary.objects.get(place=quarter, status="draft")
    assert (made.version, made.author.get_username(), made.certainty) == (2, "admin-tester", "walked")
    assert client.post("/admin/geo/boundary/add/", {**values, "geometry": ""}).status_code == 200


def test_only_drafts_can_be_thrown_away(client: Client, quarter: Place) -> None:
    for status, answered in (("approved", 403), ("proposed", 403), ("withdrawn", 403), ("draft", 302)):
        made = edition(quarter, status)
        url = f"/admin/geo/boundary/{made.pk}/delete/"
        assert client.post(url, {"post": "yes"}).status_code == answered
        assert Boundary.objects.filter(pk=made.pk).exists() == (answered == 403)
    many = {
        "action": "delete_selected",
        "_selected_action": [str(pk) for pk in Boundary.objects.values_list("pk", flat=True)],
        "post": "yes",
    }
    before = Boundary.objects.count()
    client.post("/admin/geo/boundary/", many)
    assert Boundary.objects.count() == before


# ---------------------------------------------------------------- places and layers


def test_the_address_of_a_place_is_fixed(client: Client, quarter: Place) -> None:
    url = f"/admin/geo/place/{quarter.pk}/change/"
    other = Place.objects.create(kind="city", code="othertown", name_fa="ش", name_en="O")
    forged = {
        "kind": "city",
        "code": "else",
        "parent": str(other.pk),
        "name_fa": "نام تازه",
        "name_en": "New name",
        "zone": "",
    }
    assert client.post(url, forged).status_code == 302
    quarter.refresh_from_db()
    assert (quarter.kind, quarter.path, quarter.name_en) == ("neighbourhood", "admintown/aq", "New name")
    assert not quarter.is_published


def test_places_and_layers_are_published_by_selection(client: Client, quarter: Place) -> None:
    theme = Theme.objects.create(code="admin-theme", name_fa="ت", name_en="T")
    layer = Layer.objects.create(
        city=quarter.parent, theme=theme, code="l", kind="point", name_fa="ل", name_en="L", source="s"
    )
    for path, row in (("geo/place", quarter), ("layers/layer", layer)):
        for action, expected in (("publish", True), ("unpublish", False)):
            client.post(f"/admin/{path}/", {"action": action, "_selected_action": [str(row.pk)]})
            row.refresh_from_db()
            assert row.is_published is expected
        before = type(row).objects.count()
        client.post(f"/admin/{path}/", {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
        assert type(row).objects.count() == before


def test_places_in_use_cannot_be_deleted(client: Client, quarter: Place) -> None:
    edition(quarter, "approved")
    client.post(f"/admin/geo/place/{quarter.pk}/delete/", {"post": "yes"})
    assert Place.objects.filter(pk=quarter.pk).exists()


# ---------------------------------------------------------------- what the pages carry


def test_admin_pages_carry_the_import_map_and_nothing_the_policy_forbids(client: Client, quarter: Place) -> None:
    draft = edition(quarter)
    answer = client.get(f"/admin/geo/boundary/{draft.pk}/change/")
    page = answer.content.decode()
    assert f'<script type="importmap">{import_map_json()}</script>' in page
    assert page.index("importmap") < page.index('type="module"')
    policy = answer["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy
    assert "script-src 'self'" in policy
    inline = [tag for tag in re.findall(r"<script([^>]*)>([^<]+)</script>", page) if tag[1].strip()]
    assert [attributes for attributes, _ in inline if "importmap" not in attributes and "json" not in attributes] == []
    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<[^>]+\son\w+=", page)
    assert "/tiles/admintown/places.json" in page


@pytest.mark.parametrize(("language", "word", "direction"), [("fa", "ذخیره", "rtl"), ("en", "Save", "ltr")])
def test_the_admin_speaks_both_languages(
    client: Client, quarter: Place, language: str, word: str, direction: str
) -> None:
    client.cookies["language"] = client.cookies["django_language"] = language
    page = client.get(f"/admin/geo/place/{quarter.pk}/change/").content.decode()
    assert word in page
    assert f'dir="{direction}"' in page
