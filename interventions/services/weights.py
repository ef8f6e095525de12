"""Sets of weights of institutions: kept, changed, put away and taken out again. None is ever deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone

from analysis.forms import MAX_WEIGHT, number
from analysis.indices.weighing import domain_weights
from analysis.models import Indicator
from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NEW, WeightsState
from interventions.models import Organisation, WeightSet
from interventions.selectors.rights import roles_for
from interventions.services.recording import changes_since, log_write, state_next, stored, text_clean, values_of

POINTS: Final = 100
"""That an institution divides among indicators."""

SAATY: Final = 9.0
"""How many times as important one may be as another, at most."""

MOST_INDICATORS: Final = 500

_SAID: Final = ("name_fa", "name_en", "how", "weights", "comparisons", "note")
_REVIEWS: Final = ("withdraw", "restore")


@dataclass(frozen=True, slots=True)
class WeightSetSpec:
    """What an institution says of indicators.

    Attributes
    ----------
    weights
        By code of indicator; those of 0 are left out. For ``allocation`` points that sum to 100; for ``pairwise`` they say which
        indicators count, and the weights come from the comparisons.
    comparisons
        For ``pairwise``: two domains each, and how many times as important the first is as the second, 1/9 to 9.
    """

    organisation: Organisation
    city: Place
    how: str
    weights: Mapping[str, float] = field(default_factory=dict)
    comparisons: Sequence[tuple[str, str, float]] = ()
    name_fa: str = ""
    name_en: str = ""
    note: str = ""


def weight_set_save(
    *,
    user: User,
    spec: WeightSetSpec,
    weight_set: WeightSet | None = None,
    version: int = 0,
    at: datetime | None = None,
) -> WeightSet:
    """Keep a new set of weights, or change one; what it said before is kept in the log.

    Parameters
    ----------
    version
        Of the set that is changed: the version that the person had before them.

    Raises
    ------
    Forbidden
        Unless the user is a member of the organisation with a role in the city, or plans, analyses or leads there.
    Conflict
        Where the set is put away, or somebody saved it meanwhile (code ``stale``).
    InvalidInput
        Where weights or comparisons cannot be used, or the organisation does not work there; the organisation of a set stays.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        if weight_set is None:
            roles = roles_for(user, spec.city, spec.organisation)
            state_next(WeightSet(city=spec.city), "record", state=NEW, roles=roles)
            return weight_set_record(spec, author=user, saved_at=moment)
        locked = _locked(weight_set)
        roles = roles_for(user, locked.city, locked.organisation)
        state = state_next(locked, "amend", state=locked.state, roles=roles)
        if locked.version != version:
            raise Conflict(
                "Somebody has saved these weights meanwhile.",
                code="stale",
                remedy="Look at both versions, and save again on the newest one.",
            )
        before = values_of(locked, _SAID)
        _fill(locked, spec)
        changed = changes_since(before, locked)
        if not changed:
            return locked
        locked.version += 1
        locked.saved_by_id, locked.saved_at = _key(user), moment
        stored(locked, f"weights {locked.pk}")
        log_write(locked, "amend", user=user, state_from=state, state_to=state, at=moment, details=changed)
        return locked


def weight_set_record(spec: WeightSetSpec, *, author: User | None, saved_at: datetime) -> WeightSet:
    """Store a set of weights without asking for rights.

    Raises
    ------
    InvalidInput
        As `weight_set_save`.
    """
    made = WeightSet(
        organisation=spec.organisation,
        city=spec.city,
        author_id=_key(author),
        saved_by_id=_key(author),
        created_at=saved_at,
        saved_at=saved_at,
    )
    _fill(made, spec)
    with transaction.atomic():
        stored(made, "weights")
        log_write(made, "record", user=author, state_to=WeightsState.KEPT.value, at=saved_at)
    return made


def weight_set_review(*, user: User, weight_set: WeightSet, event: str, at: datetime | None = None) -> WeightSet:
    """Put a set of weights away, or take it out again.

    Parameters
    ----------
    event : str
        ``withdraw`` or ``restore``.

    Raises
    ------
    Forbidden
        As `weight_set_save`.
    Conflict
        Where somebody did so meanwhile.
    InvalidInput
        Where the event is another one.
    """
    if event not in _REVIEWS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that can be done to weights here.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(_REVIEWS)}.",
            details={"value": event[:40]},
        )
    moment = at or timezone.now()
    with transaction.atomic():
        locked = _locked(weight_set)
        before = locked.state
        after = state_next(locked, event, state=before, roles=roles_for(user, locked.city, locked.organisation))
        locked.archived_at = moment if after == WeightsState.WITHDRAWN else None
        locked.version += 1
        stored(locked, f"weights {locked.pk}", fields=["archived_at", "version"])
        log_write(locked, event, user=user, state_from=before, state_to=after, at=moment)
        return locked


def _locked(weight_set: WeightSet) -> WeightSet:
    found: WeightSet = (
        WeightSet.objects.select_for_update(of=("self",), no_key=True)
        .select_related("city", "organisation__place")
        .get(pk=weight_set.pk)
    )
    return found


def _key(user: Any) -> int | None:
    return user.pk if isinstance(user, AbstractUser) else None


def _fill(weight_set: WeightSet, spec: WeightSetSpec) -> None:
    """Write what a spec says into a set of weights."""
    weights = _weights_checked(spec.weights)
    members = _members(weights)
    comparisons: list[list[Any]] = []
    if spec.how == WeightSet.How.PAIRWISE:
        comparisons = _comparisons_checked(spec.comparisons, members)
        weights = dict(domain_weights(members, [(a, b, value) for a, b, value in comparisons]).weights)
    elif spec.how == WeightSet.How.ALLOCATION and abs(sum(weights.values()) - POINTS) > 1e-6:
        given = sum(weights.values())
        raise InvalidInput(
            f"{given:g} points are given, not {POINTS}.",
            code="bad_points",
            where="weights, points",
            remedy=f"Divide exactly {POINTS} points.",
            details={"given": given, "points": POINTS},
        )
    weight_set.how, weight_set.weights, weight_set.comparisons = spec.how, weights, comparisons
    weight_set.name_fa, weight_set.name_en = clean_name(spec.name_fa), clean_name(spec.name_en)
    weight_set.note = text_clean(spec.note)


def _weights_checked(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights above zero, by code of indicator in the order of codes."""
    if len(weights) > MOST_INDICATORS:
        raise InvalidInput(
            f"{len(weights)} indicators are more than {MOST_INDICATORS}.",
            code="too_many",
            where="weights",
            remedy="Weigh fewer.",
            details={"n": len(weights), "most": MOST_INDICATORS},
        )
    for code, weight in weights.items():
        number(weight, f"weights, {code}", 0, MAX_WEIGHT)
    kept = {code: weights[code] for code in sorted(weights) if weights[code] > 0}
    if not kept:
        raise InvalidInput(
            "All weights are zero.", code="bad_weight", where="weights", remedy="Give at least one a weight."
        )
    return kept


def _members(weights: Mapping[str, float]) -> dict[str, list[str]]:
    """Return codes of indicators by their domain, in the order of domains."""
    domain_of = dict(Indicator.objects.filter(code__in=weights).order_by().values_list("code", "domain"))
    unknown = sorted(set(weights) - set(domain_of))
    if unknown:
        raise InvalidInput(
            f"There is no indicator {unknown[0][:80]!r}.",
            code="unknown_indicator",
            where="weights",
            remedy="Choose among the indicators of the city.",
            details={"code": unknown[0][:80]},
        )
    members = {domain: [code for code in weights if domain_of[code] == domain] for domain in Indicator.Domain.values}
    return {domain: codes for domain, codes in members.items() if codes}


def _comparisons_checked(
    comparisons: Sequence[tuple[str, str, float]], members: Mapping[str, Sequence[str]]
) -> list[list[Any]]:
    """Return comparisons of the domains that count, each such that the domain that comes first is named first."""
    order = {domain: number for number, domain in enumerate(members)}
    if len(order) < 2:
        raise InvalidInput(
            "Indicators of one domain alone cannot be weighed by comparing domains.",
            code="one_domain",
            where="weights",
            remedy="Choose indicators of two domains or more.",
        )
    found = []
    for a, b, value in comparisons:
        if a not in order or b not in order:
            continue
        number(value, f"comparisons, {a}, {b}", 1 / SAATY - 1e-9, SAATY)
        found.append([a, b, value] if order[a] < order[b] else [b, a, 1 / value])
    return sorted(found, key=lambda one: (order[one[0]], order[one[1]]))


__all__ = ["POINTS", "SAATY", "WeightSetSpec", "weight_set_record", "weight_set_review", "weight_set_save"]
