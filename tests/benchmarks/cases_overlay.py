"""Overlay of a layer of polygons on the neighbourhoods, against PostGIS and geopandas."""

from __future__ import annotations

import numpy as np

from analysis.services import overlay_compute
from geo.models import Place
from geo.querysets import system_user
from layers.models import Release
from tests.benchmarks import peers_geopandas, peers_postgis
from tests.benchmarks.measuring import Report, Row, fastest, interleaved_ms
from tests.benchmarks.question import Asked, asked, city


def overlay_cases(report: Report, runs: int, layer: str) -> None:
    """Measure one layer, checking counts and shares of every place."""
    place, user = city(), system_user()
    release = Release.objects.filter(layer__city=place, layer__code=layer).latest().get()
    kinds = dict(Place.objects.filter(boundaries__in=asked().editions).values_list("boundaries", "kind"))
    editions = tuple(e for e in asked().editions if kinds[e] == Place.Kind.NEIGHBOURHOOD)
    these = Asked(editions, ((layer, release.pk, 0.0),), asked().epsg)
    parameters = {"editions": list(editions), "release": release.pk, "epsg": these.epsg}

    def ours() -> list[tuple[int, float]]:
        rows = overlay_compute(city=place, user=user, subject=layer).rows
        return [(row.count, row.area_share or 0.0) for row in rows]

    def by_postgis(name: str) -> list[tuple[int, float]]:
        found = {edition: (count, share) for edition, count, share in peers_postgis.run(name, parameters)}
        return [found.get(edition, (0, 0.0)) for edition in editions]

    expected = np.array(ours())
    jobs = {name: lambda name=name: by_postgis(name) for name in peers_postgis.OVERLAY}
    for job in jobs.values():
        np.testing.assert_allclose(np.array(job()), expected, atol=1e-6)
    best = fastest(interleaved_ms(jobs, 1))
    jobs = {"ours": ours, "postgis": jobs[best], "geopandas": lambda: by_geopandas(these)}
    times = interleaved_ms(jobs, runs)
    size = f"{len(editions)} × {release.row_count:,}"
    for name, label in (("postgis", f"PostGIS {best}"), ("geopandas", "geopandas.overlay")):
        report.add(Row(f"overlay of {layer}", size, times["ours"], label, times[name], runs))


def by_geopandas(these: Asked) -> np.ndarray:
    """Return the land under the features in each place, by `geopandas.overlay` and dissolving."""
    places, features = peers_geopandas.tables(these)
    pieces = places.overlay(features, how="intersection", keep_geom_type=True)
    united = pieces.dissolve("id")
    return np.asarray(united.area.reindex(list(these.editions)).fillna(0.0))
