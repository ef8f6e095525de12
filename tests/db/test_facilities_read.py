"""The facilities of a service are read all at once: the same as row by row, in the order of the file."""

from __future__ import annotations

import pytest
import shapely

from analysis.selectors import facilities_of, facilities_read
from geo.models import Place
from layers.models import Feature, Release

pytestmark = pytest.mark.django_db


def newest(city: Place, code: str) -> Release:
    return Release.objects.filter(layer__city=city, layer__code=code).latest().get()


@pytest.mark.parametrize("code", ["clinic", "park", "water-mains", "buildings"])
def test_they_are_those_of_the_rows(demo_city: Place, code: str) -> None:
    """Points, polygons, and lines and buildings of which there are more than the database joins to one value."""
    release = newest(demo_city, code)
    rows = Feature.objects.of(release).order_by("number").values_list("geometry", flat=True)
    read = facilities_read(release.pk, {})
    assert len(read) == release.row_count
    assert shapely.to_wkb(read).tolist() == [bytes(geometry.wkb) for geometry in rows]


def test_conditions_are_those_of_the_queryset(demo_city: Place) -> None:
    release = newest(demo_city, "water-mains")
    rows = list(Feature.objects.of(release).order_by("number").values_list("attributes", "geometry"))
    field, value = next((name, value) for name, value in rows[0][0].items() if value not in (None, ""))
    others = [attributes.get(field) for attributes, _ in rows]
    other = next((one for one in others if one not in (value, None, "")), value)
    for where, wanted in (
        ({field: value}, {value}),
        ({field: [value, other]}, {value, other}),
        ({field: [value, other], "number": "nowhere"}, set()),
    ):
        expected = [bytes(geometry.wkb) for attributes, geometry in rows if attributes.get(field) in wanted]
        assert shapely.to_wkb(facilities_read(release.pk, where)).tolist() == expected
        of_queryset = Feature.objects.of(release).supplying(where).order_by("number").values_list("geometry", flat=True)
        assert [bytes(geometry.wkb) for geometry in of_queryset] == expected


def test_of_nothing_there_is_nothing(demo_city: Place) -> None:
    release = newest(demo_city, "clinic")
    (together,) = facilities_of(release.pk, [{"name": "nowhere"}])
    assert together.is_empty
    read = facilities_read(release.pk, {"name": "nowhere"})
    assert read.shape == (0,)
    assert read.dtype == object
