"""What the page of a what-if and the list of scenarios say: sentence, legends, who gains and who loses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.comparing import WhatIf, counted_rows
from analysis.models import Scenario
from analysis.results import TRAVELS, CityCoverage, CityPriority, ServiceRow
from layers.models import Standard
from maps.pages import classes, formats
from maps.pages.controls import Slider, threshold_slider, weight_slider
from maps.pages.figures import SETTLEMENT
from maps.pages.legend import css_class
from maps.pages.measured import Source, source_name
from maps.pages.reader import language, word
from maps.scenarios.forms import WhatIfShow

CHANGE_BOUNDS: Final = (-20.0, -5.0, -0.5, 0.5, 5.0, 20.0)
"""Inner bounds of the classes of a change, in percentage points or points of the score: the same on every map."""
CHANGE_COLOURS: Final = ("#b35806", "#f1a340", "#fee0b6", "#f2f2f0", "#d8daeb", "#998ec3", "#542788")
"""ColorBrewer's PuOr: orange is worse than it was, purple better."""
_MOST_ROWS: Final = 10


def change_class(better: float | None) -> int:
    """Return the class of a change (above 0 is better), -1 where there is no value.

    Examples
    --------
    >>> change_class(-30.0), change_class(0.0), change_class(0.5), change_class(21.0), change_class(None)
    (0, 3, 4, 6, -1)
    """
    if better is None or not np.isfinite(better):
        return classes.NO_DATA
    return int(np.searchsorted(CHANGE_BOUNDS, better, side="right"))


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One class of a legend: its colour, what it means, and who lives there."""

    css: str
    bounds: str
    people: str
    places: str


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A place that gains or loses."""

    code: str
    name: str
    is_settlement: bool
    gained: str
    lost: str
    ranks: str
    scores: str


@dataclass(frozen=True, slots=True)
class WhatIfView:
    """What the page says before anybody moved anything."""

    finding: str
    basis: str
    service: ServiceRow
    threshold_text: str
    slider: Any
    legends: tuple[tuple[str, str, tuple[LegendRow, ...]], ...]
    fills: dict[str, str]
    effects: tuple[EffectRow, ...]
    effects_more: int
    warnings: tuple[str, ...]


def what_if_view(found: WhatIf, column: int, show: WhatIfShow) -> WhatIfView:
    """Present a city as it is, or what a scenario does to it, for one service."""
    lang, before, after = language(), found.before, found.after
    service = after.coverage.services[column]
    shown = {
        "uncovered": (_("People without it"), classes.SHARE, _uncovered(after, column)),
        "priority": (_("Priority"), _ruler(before), _scores(after)),
    }
    fills_of = {
        name: [css_class(ruler, ruler.of(value)) for value in values] for name, (_title, ruler, values) in shown.items()
    }
    changes = [change_class(value) for value in _better(found, column)]
    fills_of["change"] = [change_css(index) for index in changes]
    legends: list[tuple[str, str, tuple[LegendRow, ...]]] = []
    for name, (title, ruler, values) in shown.items():
        write = _percent if name == "uncovered" else _points
        legends.append((name, title, _legend(after, ruler, values, write)))
    legends.insert(1, ("change", _("Change"), change_legend(after, changes)))
    order = _order(found, column, by_rank=show == "priority")
    codes = [place.code for place in after.coverage.places]
    return WhatIfView(
        finding=finding(found, column),
        basis=basis(after),
        service=service,
        threshold_text=formats.distance(service.threshold_m, lang),
        slider=threshold_slider(service),
        legends=tuple(legends),
        fills=dict(zip(codes, fills_of[show], strict=True)),
        effects=tuple(_effect(found, i, column) for i in order[:_MOST_ROWS]),
        effects_more=max(0, len(order) - _MOST_ROWS),
        warnings=after.coverage.warnings,
    )


def finding(found: WhatIf, column: int) -> str:
    """Say how many people are without a service, and what would change that; the browser says the same later on."""
    lang, service = language(), found.after.coverage.services[column]
    own_m = found.before.coverage.services[column].threshold_m
    name = word(service.name)
    counted = counted_rows(found.after.coverage.places)
    gained = float(found.effect.gained_people[counted, column].sum())
    lost = float(found.effect.lost_people[counted, column].sum())
    values = found.after.coverage.values
    people, without = float(values.population[counted].sum()), float(values.uncovered_people[counted, column].sum())
    words = {
        "city": formats.isolated(found.after.coverage.city.name, lang),
        "service": name if service.need_per_1000 is None else _("%(service)s with room") % {"service": name},
        "distance": formats.distance(service.threshold_m, lang),
        "own": formats.distance(own_m, lang),
        "people": formats.number(round(without), lang),
        "share": formats.percent(without / people if people > 0 else None, lang),
        "gained": formats.number(round(gained), lang),
        "lost": formats.number(round(lost), lang),
    }
    if service.threshold_m != own_m and round(gained) and round(lost):
        return (
            _(
                "With a limit of %(distance)s instead of %(own)s, %(gained)s people gain a %(service)s and %(lost)s lose it."
            )
            % words
        )
    if service.threshold_m != own_m and round(gained):
        return _("With a limit of %(distance)s instead of %(own)s, %(gained)s people gain a %(service)s.") % words
    if service.threshold_m != own_m and round(lost):
        return _("With a limit of %(distance)s instead of %(own)s, %(lost)s people lose their %(service)s.") % words
    weights = [[row.weight for row in side.coverage.services] for side in (found.before, found.after)]
    if not found.after.coverage.changes and weights[0] != weights[1]:
        n = int((found.before.priority.rank != found.after.priority.rank).sum())
        return ngettext(
            "With other weights than the city has, %(n)s place has another rank of priority.",
            "With other weights than the city has, %(n)s places have another rank of priority.",
            n,
        ) % {"n": formats.number(n, lang)}
    if not found.after.coverage.changes:
        return _("%(people)s people in %(city)s (%(share)s) have no %(service)s within %(distance)s.") % words
    if round(gained) and round(lost):
        return _("%(gained)s people would gain a %(service)s within %(distance)s, and %(lost)s would lose it.") % words
    if round(gained):
        return _("%(gained)s people would gain a %(service)s within %(distance)s, and nobody would lose it.") % words
    if round(lost):
        return _("%(lost)s people would lose their %(service)s within %(distance)s, and nobody would gain one.") % words
    return _("For nobody would it change whether there is a %(service)s within %(distance)s.") % words


def basis(result: CityPriority) -> str:
    """Say how distances were measured and who was counted."""
    people = result.coverage.population
    words = {"travel": result.coverage.travel.name, "people": people.name if people else "–"}
    return _("Measured %(travel)s; people after “%(people)s”.") % words


def services_json(services: Sequence[ServiceRow], needs: Mapping[str, Standard]) -> dict[str, dict[str, Any]]:
    """Return what the browser needs to know of services: names as they stand in sentences, limits and steps, and what is needed.

    Parameters
    ----------
    needs
        The standard of capacity of the services that have one.
    """
    told = {}
    for service in services:
        slider = threshold_slider(service)
        told[service.code] = {
            "name": service.name,
            "word": word(service.name),
            "kind": service.kind,
            "standard": service.standard_m,
            "low": slider.low,
            "high": slider.high,
            "step": slider.step,
            "need": {"n": need.value, "source": need.source_text} if (need := needs.get(service.code)) else None,
        }
    return told


def weight_sliders(found: WhatIf) -> list[Slider]:
    """Return a slider for the weight of each service; what is compared with is the city's own."""
    rows = zip(found.before.coverage.services, found.after.coverage.services, strict=True)
    return [weight_slider(after, before.weight) for before, after in rows]


def population_choices(sources: Sequence[Source], result: CityCoverage) -> list[tuple[str, str, bool]]:
    """Return the sources of people to choose from: code, name, and whether it is counted by."""
    chosen = result.population.code if result.population else ""
    return [(source.code, source_name(source), source.code == chosen) for source in sources]


def classes_json(before: CityPriority) -> dict[str, dict[str, Any]]:
    """Return inner bounds and colours of the three measures; those of scores are the city's own and stay as they are."""
    ruler = _ruler(before)
    return {
        "uncovered": {"bounds": list(classes.SHARE.bounds[1:-1]), "colours": list(classes.SHARE.colours)},
        "change": {"bounds": list(CHANGE_BOUNDS), "colours": list(CHANGE_COLOURS)},
        "priority": {"bounds": list(ruler.bounds[1:-1]), "colours": list(ruler.colours)},
    }


def travel_choices(codes: Sequence[str], chosen: str) -> list[tuple[str, str, bool]]:
    """Return the ways of travel that a city has data for: code, name, and whether it is the chosen one."""
    number = 1 if language() == "en" else 0
    return [(code, TRAVELS[code][number], code == chosen) for code in codes]


def show_choices(chosen: WhatIfShow) -> list[tuple[str, str, bool]]:
    """Return what the map can show: code, name, and whether it is chosen."""
    names = {"uncovered": _("People without it"), "change": _("Change"), "priority": _("Priority")}
    return [(code, name, code == chosen) for code, name in names.items()]


def scenario_row(
    told: dict[str, Any], scenario: Scenario, newer_names: Sequence[str], *, is_own: bool
) -> dict[str, Any]:
    """Return a scenario as a row of the list."""
    lang, count = language(), told["changes_count"]
    changes = ngettext("%(n)s change", "%(n)s changes", count) % {"n": formats.number(count, lang)}
    return told | {
        "changes_text": changes,
        "saved_text": formats.day(scenario.saved_at, lang),
        "newer_text": formats.listing([word(name) for name in newer_names], lang),
        "is_own": is_own,
    }


# ---- changes as classes


def change_css(index: int) -> str:
    """Return the style of a class of change."""
    return "c-none" if index == classes.NO_DATA else f"c-change-{index}"


def change_bounds(index: int) -> str:
    """Say which changes a class holds."""
    lang, low, high = language(), (None, *CHANGE_BOUNDS)[index], (*CHANGE_BOUNDS, None)[index]
    if low is not None and high is not None and low < 0 < high:
        return _("about the same")
    ends = sorted(abs(end) for end in (low, high) if end is not None)
    texts = [formats.number(end, lang, 0 if end == int(end) else 1) for end in ends]
    is_better = low is not None and low > 0
    if len(texts) == 2:
        words = {"low": texts[0], "high": texts[1]}
        return (
            _("%(low)s to %(high)s points better") % words
            if is_better
            else _("%(low)s to %(high)s points worse") % words
        )
    words = {"low": texts[0]}
    return _("%(low)s points better or more") % words if is_better else _("%(low)s points worse or more") % words


def change_legend(result: CityPriority, indices: Sequence[int]) -> tuple[LegendRow, ...]:
    """Return the classes of change, the worst first, with the people who live in their places."""
    return _rows(result, indices, range(len(CHANGE_COLOURS)), change_css, change_bounds)


def _legend(
    result: CityPriority, ruler: classes.Classes, values: Sequence[float | None], write: Callable[[float, float], str]
) -> tuple[LegendRow, ...]:
    return _rows(
        result,
        [ruler.of(value) for value in values],
        range(ruler.count),
        lambda index: css_class(ruler, index),
        lambda index: write(ruler.bounds[index], ruler.bounds[index + 1]),
    )


def _rows(
    result: CityPriority,
    indices: Sequence[int],
    of: Sequence[int],
    css: Callable[[int], str],
    bounds: Callable[[int], str],
) -> tuple[LegendRow, ...]:
    lang, found = language(), np.array(indices)
    counted = np.zeros(len(found), dtype=bool)
    counted[counted_rows(result.coverage.places)] = True
    rows = []
    for index in [*of, *([classes.NO_DATA] if (found == classes.NO_DATA).any() else [])]:
        people = float(result.coverage.values.population[(found == index) & counted].sum())
        n = int((found == index).sum())
        rows.append(
            LegendRow(
                css=css(index) if index != classes.NO_DATA else "c-none",
                bounds=bounds(index) if index != classes.NO_DATA else _("no value"),
                people=_("%(n)s people") % {"n": formats.number(round(people), lang)},
                places=ngettext("%(n)s place", "%(n)s places", n) % {"n": formats.number(n, lang)},
            )
        )
    return tuple(rows)


def _percent(low: float, high: float) -> str:
    lang = language()
    return _("%(low)s to %(high)s") % {"low": formats.percent(low, lang), "high": formats.percent(high, lang)}


def _points(low: float, high: float) -> str:
    lang = language()
    return _("%(low)s to %(high)s") % {"low": formats.number(low, lang), "high": formats.number(high, lang)}


def _ruler(before: CityPriority) -> classes.Classes:
    return classes.quantile([value for value in _scores(before) if value is not None], "priority")


def _scores(result: CityPriority) -> list[float | None]:
    return [
        float(score) if reliable > 0 else None
        for score, reliable in zip(result.priority.score, result.priority.reliability, strict=True)
    ]


def _uncovered(result: CityPriority, column: int) -> list[float | None]:
    shares = result.coverage.values.population_share[:, column]
    return [float(1.0 - share) if np.isfinite(share) else None for share in shares]


def _better(found: WhatIf, column: int) -> list[float | None]:
    """Return by how many percentage points fewer people of each place are without the service."""
    pairs = zip(_uncovered(found.before, column), _uncovered(found.after, column), strict=True)
    return [None if old is None or new is None else (old - new) * 100 for old, new in pairs]


# ---- who gains and who loses


def _order(found: WhatIf, column: int, *, by_rank: bool) -> list[int]:
    """Return the places for which something changes: those with most people concerned first, or that change rank most."""
    moved = found.effect.gained_people[:, column] + found.effect.lost_people[:, column]
    ranks = np.abs(found.before.priority.rank - found.after.priority.rank).astype(np.float64)
    if by_rank or not (np.round(moved) > 0).any():
        moved = ranks
    return [int(i) for i in np.argsort(-moved, kind="stable") if round(float(moved[i])) > 0]


def _effect(found: WhatIf, i: int, column: int) -> EffectRow:
    lang, place = language(), found.after.coverage.places[i]
    gained, lost = (round(float(t[i, column])) for t in (found.effect.gained_people, found.effect.lost_people))
    ranks = [formats.number(int(result.priority.rank[i]), lang) for result in (found.before, found.after)]
    scores = [formats.number(float(result.priority.score[i]), lang, 1) for result in (found.before, found.after)]
    return EffectRow(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == SETTLEMENT,
        gained=formats.number(gained, lang) if gained else "",
        lost=formats.number(lost, lang) if lost else "",
        ranks=_became(*ranks),
        scores=_became(*scores),
    )


def _became(before: str, after: str) -> str:
    return before if before == after else _("%(before)s → %(after)s") % {"before": before, "after": after}
