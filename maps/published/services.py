"""Publishing: a result computed as anybody may see it, frozen as pages and data, with the run it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import override

from analysis.disclosure import may_analyse
from analysis.results import CityPriority, Question, ServiceRow
from analysis.scenarios import seen_by
from analysis.services import priority_beside_standard, run_record
from geo.core.text import clean_name
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Place
from geo.querysets import User
from maps.models import Publication
from maps.pages import presenters
from maps.pages.forms import CityState, service_chosen
from maps.published import downloads, selectors
from maps.published.document import Facts, ServiceFact, document
from maps.published.drawing import draw
from maps.published.freeze import Measure, freeze
from maps.published.results import columns_of, place_results, ruler_of


@dataclass(frozen=True, slots=True)
class PublicResult:
    """A result as anybody may see it, before it is frozen."""

    city: Place
    measure: Measure
    column: int | None
    result: CityPriority
    standard: CityPriority

    @property
    def service(self) -> ServiceRow | None:
        """The service the colour is about; None for priority."""
        return None if self.measure == "priority" or self.column is None else self.result.coverage.services[self.column]


def public_result(*, city: Place, measure: Measure, service: str, question: Question) -> PublicResult:
    """Compute what a published map would show: with published places and layers alone, whoever publishes it.

    Raises
    ------
    NotFound
        Where anybody sees no place of the city, or no such service.
    InvalidInput
        Where there is nothing to show.
    """
    public = AnonymousUser()
    result, standard = priority_beside_standard(city=city, user=public, question=seen_by(question, city, public))
    column = None if measure == "priority" else service_chosen(service, result.coverage.services)
    if measure != "priority" and column is None:
        raise InvalidInput(
            f"{city.name_en} has no public service.",
            code="no_services",
            remedy="Publish the layer of a service first.",
            details={"city": city.name},
        )
    return PublicResult(city, measure, column, result, standard)


def suggested_title(public: PublicResult, language: str) -> str:
    """Return the finding of a result as a title."""
    state = CityState(public.measure, public.service.code if public.service else "", "rank", False, Question())
    with override(language):
        view = presenters.city_view(public.result, public.standard, state, public.column, is_insider=False)
        return view.finding.rstrip(".")[:200]


def suggested_slug(public: PublicResult) -> str:
    """Return an address that says what the map shows and is free."""
    stem = "-".join(filter(None, [public.city.code, public.measure, public.service.code if public.service else ""]))[
        :70
    ]
    taken = set(Publication.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    numbered = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in numbered if slug not in taken)


def publication_create(
    *, city: Place, author: Any, measure: Measure, service: str = "", question: Question | None = None,
    slug: str, title_fa: str, title_en: str,
) -> Publication:  # fmt: skip
    """Freeze a result as a public map, and keep the run it came from; both or neither.

    Parameters
    ----------
    author : user or None
        Who publishes; None for the system itself. Only what anybody may see is published, whatever the author sees.
    service : str
        Code of the service the map is about; empty for priority, or for the city's first service.
    slug : str
        Last part of the address ``/m/<slug>/``.

    Raises
    ------
    Forbidden
        Where the author may not publish results of the city.
    Conflict
        Where the address is taken.
    NotFound, InvalidInput
        As `public_result`.
    """
    if author is not None and not may_publish(city, author):
        raise Forbidden(
            f"You may not publish maps of {city.name_en}.",
            code="may_not_publish",
            remedy="Ask for the role of an analyst.",
            details={"city": city.name},
        )
    public = public_result(city=city, measure=measure, service=service, question=question or Question())
    try:
        with transaction.atomic():
            return _publish(public, author, slug, clean_name(title_fa), clean_name(title_en))
    except IntegrityError as error:
        if not Publication.objects.filter(slug=slug).exists():
            raise
        raise slug_taken(slug) from error


def slug_taken(slug: str) -> Conflict:
    """Return the error for an address that another map has."""
    return Conflict("Another map has this address.", code="slug_taken", where=slug, remedy="Choose another address.")


def _publish(public: PublicResult, author: Any, slug: str, title_fa: str, title_en: str) -> Publication:
    from maps.published.folium_map import render  # folium takes half a second to import, and only publishing needs it

    if Publication.objects.filter(slug=slug).exists():
        raise slug_taken(slug)
    covered = public.result.coverage
    run = run_record(public.result if public.measure == "priority" else covered, author=author)
    now = timezone.now()
    geometries = selectors.geometries_of(covered)
    columns = columns_of(public.result, public.measure)
    places = place_results(public.result, public.measure, public.column, geometries)
    ruler = ruler_of(public.standard, public.measure, public.column)
    frozen = freeze(places, public.measure, columns[0].key, columns, ruler)
    backdrops, backdrop_sources = selectors.backdrops_of(covered, geometries, public.service)
    drawing = draw(frozen, backdrops)
    used = selectors.services_used(covered, public.measure, public.column)
    facts = Facts(
        slug=slug,
        title_fa=title_fa,
        title_en=title_en,
        city_code=public.city.code,
        city_name_fa=public.city.name_fa,
        city_name_en=public.city.name_en,
        is_illustrative=public.city.is_illustrative,
        published_on=timezone.localdate(now),
        service=public.service.code if public.service else "",
        services=tuple(_service_fact(service) for service in used),
        sources=(*selectors.sources_of(covered, used), *backdrop_sources),
        cell_m=covered.cell_m,
        normalisation=public.result.normalisation,
        aggregation=public.result.aggregation,
        facilities=public.service.facilities if public.service else 0,
        run={"number": run.pk, "hash": run.input_hash, "code_version": run.code_version},
        warnings=covered.warnings,
        scenario=covered.scenario.name if covered.scenario else "",
        travel={}
        if covered.travel.code == "straight"
        else {name: getattr(covered.travel, name) for name in ("name_fa", "name_en", "is_time")},
    )
    said = document(frozen, facts, drawing)
    return Publication.objects.create(
        slug=slug,
        city=public.city,
        run=run,
        measure=public.measure,
        service_code=facts.service,
        title_fa=title_fa,
        title_en=title_en,
        page_fa=render(said, drawing.numbers, "fa"),
        page_en=render(said, drawing.numbers, "en"),
        document=said,
        geojson=downloads.feature_collection(said, frozen.geometries),
        author=author,
        published_at=now,
    )


def _service_fact(service: ServiceRow) -> ServiceFact:
    return ServiceFact(
        code=service.code,
        name_fa=service.name_fa,
        name_en=service.name_en,
        threshold_m=service.threshold_m,
        standard_m=service.standard_m,
        standard_source=service.standard_source,
        is_verified=service.is_verified,
        weight=service.weight,
        standard_source_fa=service.standard_source_fa,
    )


def may_publish(city: Place, user: User) -> bool:
    """Tell whether a user may publish and withdraw maps of a city."""
    return may_analyse(city, user)


def publication_withdraw(publication: Publication, *, by: Any) -> None:
    """Take a map off the public's sight; its data are kept, so that it can be put back.

    Raises
    ------
    Forbidden
        Where the user may not publish results of the city.
    """
    _set_withdrawn(publication, by, is_withdrawn=True)


def publication_restore(publication: Publication, *, by: Any) -> None:
    """Put a withdrawn map back as it was.

    Raises
    ------
    Forbidden
        As `publication_withdraw`.
    """
    _set_withdrawn(publication, by, is_withdrawn=False)


def _set_withdrawn(publication: Publication, by: Any, *, is_withdrawn: bool) -> None:
    if not may_publish(publication.city, by):
        raise Forbidden(
            f"You may not withdraw maps of {publication.city.name_en}.",
            code="may_not_publish",
            remedy="Ask for the role of an analyst.",
            details={"city": publication.city.name},
        )
    publication.withdrawn_at = timezone.now() if is_withdrawn else None
    publication.withdrawn_by = by if is_withdrawn else None
    publication.save(update_fields=["withdrawn_at", "withdrawn_by"])
