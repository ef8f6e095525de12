"""Sources of a city's people, each told by itself: sources that differ are shown beside each other, never averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from analysis import selectors
from analysis.caching import arrays, content_key
from analysis.ground import Ground, People, grid_kept, ground_kept, people_of
from analysis.results import PlaceRow, PopulationRow, Question
from geo.core.grid import Grid
from geo.models import Place
from geo.querysets import User
from layers.models import PopulationSource, Release

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PopulationSpread:
    """The people of a city's places by each source.

    Attributes
    ----------
    sources
        The one asked for, or else the city's main one, first.
    people
        Shape ``(places, sources)``.
    """

    city: Place
    places: tuple[PlaceRow, ...]
    sources: tuple[PopulationRow, ...]
    people: Floats

    @property
    def lowest(self) -> Floats:
        """Shape ``(places,)``: the least that a source says."""
        return np.asarray(self.people.min(axis=1, initial=np.inf))

    @property
    def highest(self) -> Floats:
        """Shape ``(places,)``: the most that a source says."""
        return np.asarray(self.people.max(axis=1, initial=0.0))

    @property
    def spread_share(self) -> Floats:
        """Shape ``(places,)``: how far the sources lie apart, as a share of the first one; NaN where that counts nobody."""
        first = self.people[:, 0]
        apart = self.highest - self.lowest
        return np.asarray(np.divide(apart, first, out=np.full(len(first), np.nan), where=first > 0))


def population_spread(city: Place, user: User, question: Question | None = None) -> PopulationSpread:
    """Count the people of a city's places by every source that a user may see.

    Raises
    ------
    NotFound
        Where the city has no places in force, no source of population (``no_population``), or not the one asked for.
    """
    reading = selectors.city_read(city, user)
    asked = selectors.population_asked(reading, question or Question())
    if asked is None:
        raise selectors.no_population(city)
    sources = (asked, *(one for one in reading.populations if one[1].pk != asked[1].pk))
    grid = grid_kept(reading)
    ground = ground_kept(reading.places, grid)
    counted = [people_kept(release, source, grid, ground) for release, source in sources]
    rows = tuple(population_row(*one, people) for one, people in zip(sources, counted, strict=True))
    people = np.stack([np.asarray(ground.parts @ living.per_cell) for living in counted], axis=1)
    return PopulationSpread(city, reading.places.rows, rows, people)


def people_key(population: tuple[Release, PopulationSource] | None, ground: Ground) -> str:
    """Return the hash of the people of a source on a city's ground."""
    if population is None:
        return "nobody"
    return content_key("people", ground.key, population[0].content_hash, population[1].field)


def people_kept(release: Release, source: PopulationSource, grid: Grid, ground: Ground) -> People:
    """Return the people of a source on the parts of a city's ground, counted once for the same content."""
    key = people_key((release, source), ground)
    return cast(People, arrays.get(key, lambda: people_of(release, source, grid, ground)))


def population_row(release: Release, source: PopulationSource, people: People) -> PopulationRow:
    """Return a source of people as results name it."""
    layer = source.layer
    return PopulationRow(
        code=source.code, layer_code=layer.code, field=source.field,
        name_fa=source.name_fa or layer.name_fa, name_en=source.name_en or layer.name_en,
        source=source.source or layer.source, source_fa=source.source_fa or ("" if source.source else layer.source_fa),
        reference_date=source.reference_date or release.reference_date,
        release_id=release.pk, release_number=release.number, release_hash=release.content_hash,
        total=people.total,
    )  # fmt: skip
