"""What is asked of us and of the peers alike: the same places, features and thresholds, straight from the database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from analysis import selectors
from analysis.ground import grid_for
from analysis.results import Question
from geo.models import Place
from geo.querysets import system_user
from layers.models import Raster


@dataclass(frozen=True, slots=True)
class Asked:
    """Places by edition, and services by release and threshold."""

    editions: tuple[int, ...]
    services: tuple[tuple[str, int, float], ...]
    epsg: int

    def changed(self, code: str, threshold_m: float) -> Asked:
        """Return the same with the threshold of one service changed."""
        return replace(self, services=tuple((c, r, threshold_m if c == code else t) for c, r, t in self.services))

    def only(self, code: str) -> Asked:
        """Return the same with one service left."""
        return replace(self, services=tuple(s for s in self.services if s[0] == code))

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the SQL statements."""
        return {
            "editions": list(self.editions),
            "releases": [release for _, release, _ in self.services],
            "thresholds_m": [threshold_m for _, _, threshold_m in self.services],
            "epsg": self.epsg,
        }


def city() -> Place:
    """Return the demo city."""
    return selectors.city_get("khorramabad", system_user())


def asked(question: Question | None = None) -> Asked:
    """Return what the service itself computes for a question, so that the peers compute the same."""
    place, user = city(), system_user()
    places = selectors.places_read(place, user)
    services, _ = selectors.services_read(place, user, question or Question())
    assert all(not service.where for service in services), "The peers' statements know no conditions on features."
    return Asked(
        tuple(row.edition_id for row in places.rows),
        tuple((s.code, s.release_id, s.threshold_m) for s in services),
        grid_for(places).epsg,
    )


def people_file() -> Path:
    """Return the raster that the people of the demo city are counted by."""
    population = selectors.population_read(city())
    assert population is not None
    return Path(settings.RASTER_DIR) / Raster.objects.get(release=population[0]).file
