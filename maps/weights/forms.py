"""What is asked of the comparison of weights, and what somebody types of an institution's: read once and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from analysis.forms import MAX_WEIGHT, number, one_of
from analysis.indicators import IndicatorRow
from analysis.indices.computing import AGGREGATIONS, NORMALISATIONS, IndexQuestion
from analysis.models import Indicator
from geo.errors import InvalidInput
from geo.models import Place
from interventions.models import MAX_TEXT, Organisation, WeightSet
from interventions.services import POINTS, SAATY, WeightSetSpec
from maps.indices.forms import KINDS, PREFIX
from maps.pages.typed import Typed

POINTS_PREFIX: Final = "p-"
PAIR_PREFIX: Final = "c-"
TICK: Final = "i"
"""Names of fields: points of an indicator, the comparison of two domains, indicators that count where domains are compared."""

FIRST: Final = 3
MOST_STEPS: Final = round(SAATY) - 1
"""Steps of a comparison from “alike” to either end."""

_LONGEST: Final = {"name_fa": 201, "name_en": 201, "note": MAX_TEXT + 1}


# ---- the comparison


@dataclass(frozen=True, slots=True)
class CompareState:
    """What is compared, and how.

    Attributes
    ----------
    chosen
        Numbers of sets; empty for all that are kept.
    """

    chosen: tuple[int, ...]
    question: IndexQuestion
    with_archived: bool

    @property
    def kind(self) -> str:
        """Of the places that are ranked; empty for all."""
        return self.question.kinds[0] if self.question.kinds else ""


def compare_state_from(parameters: QueryDict, kind: str) -> CompareState:
    """Read what the comparison is asked for.

    Parameters
    ----------
    kind
        Of places, where the address names none.

    Raises
    ------
    InvalidInput
        Where a choice is not known, or something that is no number names a set.
    """
    chosen = []
    for text in parameters.getlist("set"):
        if not (text.isascii() and text.isdecimal() and len(text) <= 9):
            raise InvalidInput(
                f"{text[:40]!r} cannot be used here.",
                code="bad_choice",
                where="set",
                remedy="Choose one of those offered.",
                details={"value": text[:40]},
            )
        chosen.append(int(text))
    kinds = one_of(parameters.get("kind", kind), "kind", KINDS)
    return CompareState(
        tuple(dict.fromkeys(chosen)),
        IndexQuestion(
            normalisation=one_of(parameters.get("normalisation", NORMALISATIONS[0]), "normalisation", NORMALISATIONS),  # type: ignore[arg-type]
            aggregation=one_of(parameters.get("aggregation", AGGREGATIONS[0]), "aggregation", AGGREGATIONS),  # type: ignore[arg-type]
            kinds=(kinds,) if kinds else (),
            first=FIRST,
        ),
        parameters.get("archived") == "1",
    )


# ---- the form


@dataclass(frozen=True, slots=True)
class Draft:
    """Weights as they were typed, readable but not yet kept."""

    how: str
    weights: Mapping[str, float]
    comparisons: tuple[tuple[str, str, float], ...]


def pair_field(a: str, b: str) -> str:
    """Return the name of the field that compares two domains."""
    return f"{PAIR_PREFIX}{a}-{b}"


def domains_of(known: Sequence[IndicatorRow]) -> dict[str, list[IndicatorRow]]:
    """Return the indicators of a city by domain, in the order of domains."""
    found: dict[str, list[IndicatorRow]] = {code: [] for code in Indicator.Domain.values}
    for one in known:
        found[one.domain].append(one)
    return {code: rows for code, rows in found.items() if rows}


def pairs_of(known: Sequence[IndicatorRow]) -> list[tuple[str, str]]:
    """Return each two domains of a city."""
    codes = list(domains_of(known))
    return [(a, b) for at, a in enumerate(codes) for b in codes[at + 1 :]]


def typed_first(known: Sequence[IndicatorRow], parameters: Mapping[str, str]) -> Typed:
    """Return the form as it is found first: weights as the address has them, else all alike that have goalposts."""
    named = {one.code: parameters[PREFIX + one.code][:20] for one in known if PREFIX + one.code in parameters}
    counted = [one.code for one in known if one.goalposts is not None]
    values = {"organisation": parameters.get("organisation", "")[:20], "how": WeightSet.How.GIVEN.value}
    for one in known:
        values[PREFIX + one.code] = named.get(one.code, "0") if named else str(int(one.code in counted))
        values[POINTS_PREFIX + one.code] = ""
    values |= {pair_field(a, b): "0" for a, b in pairs_of(known)}
    return Typed(values | {"name_fa": "", "name_en": "", "note": ""}, {TICK: list(named) or counted})


def typed_of(weight_set: WeightSet, known: Sequence[IndicatorRow]) -> Typed:
    """Return the form filled in with a set that is kept."""
    first = typed_first(known, {})
    values = {
        **first.values,
        "organisation": str(weight_set.organisation_id),
        "how": weight_set.how,
        "version": str(weight_set.version),
        **{name: getattr(weight_set, name) for name in ("name_fa", "name_en", "note")},
    }
    prefix = POINTS_PREFIX if weight_set.how == WeightSet.How.ALLOCATION else PREFIX
    largest = max(weight_set.weights.values())
    is_pairwise = weight_set.how == WeightSet.How.PAIRWISE
    for one in known:
        weight = weight_set.weights.get(one.code, 0.0)
        # What comes from comparing is shown on the sliders too, the largest at their end.
        values[prefix + one.code] = f"{5 * weight / largest if is_pairwise else weight:.6g}"
    for a, b, value in weight_set.comparisons:
        values[pair_field(a, b)] = str(steps_of(value))
    return Typed(values, {TICK: [one.code for one in known if one.code in weight_set.weights]})


def typed_from(data: QueryDict, known: Sequence[IndicatorRow]) -> Typed:
    """Return the form as it was sent, texts cut to a length that no field needs."""
    names = ["organisation", "how", "version", "do", *_LONGEST]
    names += [prefix + one.code for one in known for prefix in (PREFIX, POINTS_PREFIX)]
    names += [pair_field(a, b) for a, b in pairs_of(known)]
    values = {name: data.get(name, "")[: _LONGEST.get(name, 20)] for name in names}
    codes = {one.code for one in known}
    return Typed(values, {TICK: [code for code in data.getlist(TICK)[:1000] if code in codes]})


def steps_of(value: float) -> int:
    """Return a comparison as steps of its slider: below zero the first one is more important, above the second.

    Examples
    --------
    >>> steps_of(1.0), steps_of(3.0), steps_of(1 / 5), steps_of(2.6)
    (0, -2, 4, -2)
    """
    return -(round(value) - 1) if value >= 1 else round(1 / value) - 1


def times_of(steps: int) -> float:
    """Return how many times as important the first of two is.

    Examples
    --------
    >>> times_of(0), times_of(-2), times_of(4)
    (1.0, 3.0, 0.2)
    """
    return float(1 - steps) if steps <= 0 else 1 / (1 + steps)


def draft_from(typed: Typed, known: Sequence[IndicatorRow]) -> Draft | None:
    """Read the weights; None where something is wrong, which is noted beside its field."""
    how = typed.values.get("how", "")
    if how not in WeightSet.How.values:
        typed.wrong["how"] = _("Choose one of the three ways.")
        return None
    if how == WeightSet.How.PAIRWISE:
        ticked = typed.lists.get(TICK, [])
        weights = {one.code: 1.0 for one in known if one.code in ticked}
        counted = list(domains_of([one for one in known if one.code in weights]))
        if len(counted) < 2:
            typed.wrong[TICK] = _("Mark indicators of two domains or more.")
            return None
        comparisons = []
        for a, b in pairs_of([one for one in known if one.code in weights]):
            steps = _read(typed, pair_field(a, b), -MOST_STEPS, MOST_STEPS)
            comparisons.append((a, b, times_of(round(steps))))
        return None if typed.wrong else Draft(how, weights, tuple(comparisons))
    is_points = how == WeightSet.How.ALLOCATION
    prefix, most = (POINTS_PREFIX, float(POINTS)) if is_points else (PREFIX, MAX_WEIGHT)
    weights = {one.code: _read(typed, prefix + one.code, 0.0, most) for one in known}
    if typed.wrong:
        return None
    kept = {code: weight for code, weight in weights.items() if weight > 0}
    if not kept:
        typed.wrong["weights"] = _("Give at least one indicator a weight.")
        return None
    return Draft(how, kept, ())


def _read(typed: Typed, field: str, low: float, high: float) -> float:
    text = typed.values.get(field, "").strip()
    if not text:
        return 0.0
    try:
        return number(text, field, low, high)
    except InvalidInput as error:
        typed.refuse(error)
        return 0.0


def points_left(typed: Typed, known: Sequence[IndicatorRow]) -> float:
    """Return how many points are not given yet; below zero where too many are."""
    probe = Typed(typed.values, typed.lists)
    return POINTS - sum(_read(probe, POINTS_PREFIX + one.code, 0.0, float(POINTS)) for one in known)


def spec_from(typed: Typed, draft: Draft, city: Place, organisations: Sequence[Organisation]) -> WeightSetSpec | None:
    """Return what is to be kept; None where something is wrong, which is noted beside its field."""
    values = typed.values
    body = next((one for one in organisations if str(one.pk) == values.get("organisation")), None)
    if body is None:
        typed.wrong["organisation"] = _("Choose the organisation.")
    if not (values.get("name_fa", "").strip() or values.get("name_en", "").strip()):
        typed.wrong["name_fa"] = _("Give the set a name, in Persian or in English.")
    if body is None or typed.wrong:
        return None
    return WeightSetSpec(
        organisation=body,
        city=city,
        how=draft.how,
        weights=draft.weights,
        comparisons=draft.comparisons,
        name_fa=values.get("name_fa", ""),
        name_en=values.get("name_en", ""),
        note=values.get("note", ""),
    )


def version_of(typed: Typed) -> int:
    """Return the version that a change is based on; 0 where it says none."""
    text = typed.values.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


__all__ = [
    "PAIR_PREFIX", "POINTS_PREFIX", "TICK", "CompareState", "Draft", "compare_state_from", "domains_of", "draft_from", "pair_field",
    "pairs_of", "points_left", "spec_from", "steps_of", "times_of", "typed_first", "typed_from", "typed_of", "version_of",
]  # fmt: skip
