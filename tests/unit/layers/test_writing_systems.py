"""Which reference systems data can be asked for in."""

from __future__ import annotations

import pytest

from geo.errors import CrsError
from layers.writing.systems import crs_required, projjson

KHORRAMABAD = (48.2, 33.3, 48.5, 33.6)
FIJI = (177.0, -18.5, 178.5, -17.0)


@pytest.mark.parametrize("epsg", [4326, 3857, 32639, 32638, 32640, 4674, 2058, 3395])
def test_systems_that_hold_here(epsg: int) -> None:
    bounds = (-46.5, -24.1, -46.3, -23.9) if epsg == 4674 else KHORRAMABAD
    assert crs_required(epsg, bounds).to_epsg() == epsg


@pytest.mark.parametrize("epsg", [32601, 32739, 2056, 27700, 4674, 2180, 3844])
def test_systems_of_elsewhere_are_refused_with_the_one_of_here(epsg: int) -> None:
    with pytest.raises(CrsError) as caught:
        crs_required(epsg, KHORRAMABAD)
    assert caught.value.code == "crs_elsewhere"
    assert "32639" in caught.value.remedy


def test_a_system_on_both_sides_of_the_180th_meridian() -> None:
    assert crs_required(3460, FIJI).to_epsg() == 3460  # Fiji 1986 / Fiji Map Grid: 176.81 to −178.15
    with pytest.raises(CrsError):
        crs_required(3460, KHORRAMABAD)


@pytest.mark.parametrize(
    ("epsg", "code"),
    [
        (0, "unknown_crs"),
        (999_999, "unknown_crs"),
        (10**30, "unknown_crs"),
        (4979, "crs_not_of_map"),
        (5773, "crs_not_of_map"),
        (7415, "crs_not_of_map"),
    ],
)
def test_what_is_no_system_of_maps_is_refused(epsg: int, code: str) -> None:
    with pytest.raises(CrsError) as caught:
        crs_required(epsg)
    assert caught.value.code == code


def test_projjson_names_the_code() -> None:
    assert projjson(32639)["id"] == {"authority": "EPSG", "code": 32639}
