"""Coverage of groups of people, such as women, children and older people, where a source of people counts them."""

from __future__ import annotations

import copy
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.caching import arrays, content_key
from analysis.core.coverage import coverage, prepare
from analysis.core.groups import coverage_of_groups
from analysis.ground import people_of, places_key
from analysis.measures.asking import Asked, asked
from analysis.measures.results import CityGroups
from analysis.results import Question
from analysis.selectors import CityReading, population_asked
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]


def groups_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityGroups:
    """Compute the coverage of each group that the source of people counts.

    The parameters are those of `analysis.services.coverage_compute`. Groups may overlap, and may leave people out.

    Raises
    ------
    NotFound
        As `analysis.services.coverage_compute`.
    InvalidInput
        Where the source of people counts no groups (``no_groups``).
    """
    what = asked(city=city, user=user, question=question, cell_m=cell_m, reading=reading)
    counted = group_people(what)
    if not counted:
        raise InvalidInput(
            f"Where the people of {city.name_en} are counted, no groups are.",
            code="no_groups",
            where="population",
            remedy="Choose a source of people that counts groups, or name its fields of groups.",
            details={"city": city.name},
        )
    inputs, services = what.inputs, what.inputs.services
    thresholds_m = [service.threshold_m for service in services]
    people = np.stack(list(counted.values()))
    found = coverage_of_groups(inputs.arrays, people, list(counted), thresholds_m)
    shares = np.full((len(counted), len(services)), np.nan)
    totals = np.zeros(len(counted))
    ones = sparse.csr_matrix(np.ones((1, inputs.ground.cells.size)))
    for number, living in enumerate(people):
        once = prepare(ones, living * what.residents.share, inputs.arrays.cost_m, inputs.grid.cell_m)
        shares[number] = coverage(once, thresholds_m).population_share[0]
        totals[number] = float(once.people.sum())
    return CityGroups(
        basis=what.basis(),
        services=services,
        groups=found.groups,
        population=found.population,
        population_share=found.population_share,
        uncovered_people=found.uncovered_people,
        city_share=shares,
        city_people=totals,
    )


def group_people(what: Asked) -> dict[str, Floats]:
    """Return for each group its people in a whole cell as each part of the ground is; none where no groups are counted."""
    population = population_asked(what.reading, what.question)
    if population is None:
        return {}
    release, source = population
    ground_key = places_key(what.inputs.places, what.inputs.grid)
    found = {}
    for code, field in sorted(source.groups.items()):
        of_group = copy.copy(source)
        of_group.field = field
        key = content_key("people", ground_key, release.content_hash, field)
        living = arrays.get(
            key,
            lambda of_group=of_group: people_of(release, of_group, what.inputs.grid, what.inputs.ground),  # type: ignore[misc]
        )
        found[code] = cast(Floats, living.per_cell)
    return found
