"""One institution's weights, in the list and on their own page. Pure: records in, frozen words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analysis.indicators import IndicatorRow
from analysis.indices.weighing import domain_weights
from analysis.indices.weights_workbook import SetTold
from interventions.models import WeightSet
from interventions.selectors import HistoryRow
from maps.indices.forms import PREFIX
from maps.pages import formats
from maps.pages.reader import language
from maps.weights import words
from maps.weights.form_presenters import ShareView, share_views, shares_of
from maps.weights.forms import domains_of, steps_of

SLIDER_MOST: Final = 5.0


@dataclass(frozen=True, slots=True)
class SetView:
    """A set of weights in the list."""

    pk: int
    label: str
    organisation: str
    name: str
    how: str
    saved: str
    note: str
    address: str
    use: str
    is_chosen: bool
    is_away: bool
    may_change: bool
    shares: tuple[ShareView, ...]


# ---- the sets


def labels_of(sets: Sequence[WeightSet]) -> dict[int, str]:
    """Return a name for each set: that of its institution, with the set's own where the institution has several."""
    owners = [one.organisation_id for one in sets]
    return {
        one.pk: one.organisation.name
        if owners.count(one.organisation_id) == 1
        else f"{one.organisation.name}: {one.name}"
        for one in sets
    }


def set_told(one: WeightSet) -> SetTold:
    """Return a set as workbooks tell it."""
    owner = one.organisation
    return SetTold(
        one.pk, owner.name_fa, owner.name_en, one.name_fa, one.name_en, one.how, one.version, one.saved_at, one.note,
        one.weights, [(a, b, value) for a, b, value in one.comparisons],
    )  # fmt: skip


def set_view(
    one: WeightSet,
    label: str,
    *,
    city: str,
    kind: str,
    known: Sequence[IndicatorRow],
    is_chosen: bool,
    may_change: bool,
) -> SetView:
    """Present a set of weights."""
    lang = language()
    return SetView(
        pk=one.pk,
        label=label,
        organisation=one.organisation.name,
        name=one.name,
        how=str(WeightSet.How(one.how).label),
        saved=formats.day(timezone.localtime(one.saved_at), lang),
        note=one.note,
        address=reverse("weight-set", args=[city, one.pk]),
        use=use_address(city, one.weights, kind, known),
        is_chosen=is_chosen,
        is_away=one.archived_at is not None,
        may_change=may_change,
        shares=share_views(shares_of(one.weights), known),
    )


def use_address(city: str, weights: Mapping[str, float], kind: str, known: Sequence[IndicatorRow]) -> str:
    """Return where the index is made with some weights: those between 0 and 5 as they are, others with the largest at 5."""
    largest = max(weights.values(), default=0.0)
    scale = (
        1.0
        if largest <= SLIDER_MOST and all(weight % 0.5 == 0 for weight in weights.values())
        else SLIDER_MOST / largest
    )
    query = {"kind": kind, "weighting": "given", "methods": "1"}
    query |= {PREFIX + one.code: f"{weights[one.code] * scale:.4g}" for one in known if one.code in weights}
    return f"{reverse('index-builder', args=[city])}?{urlencode(query)}"


# ---- one set


@dataclass(frozen=True, slots=True)
class OneView:
    """A set of weights on its page."""

    finding: str
    consistency: str
    is_consistent: bool
    domains: tuple[tuple[str, str, tuple[ShareView, ...]], ...]
    comparisons: tuple[tuple[str, str, str], ...]


def one_view(one: WeightSet, known: Sequence[IndicatorRow]) -> OneView:
    """Present what a set says: each domain with its indicators, and the comparisons it came from."""
    lang = language()
    shares = shares_of(one.weights)
    domains = domains_of([row for row in known if row.code in shares])
    most = max(shares.values())
    largest = max(domains, key=lambda code: sum(shares[row.code] for row in domains[code]), default="")
    views = tuple(
        (
            words.domain_name(code),
            formats.percent(sum(shares[row.code] for row in rows), lang),
            tuple(
                ShareView(row.short, formats.percent(shares[row.code], lang, 1), 100 * shares[row.code] / most)
                for row in sorted(rows, key=lambda row: -shares[row.code])
            ),
        )
        for code, rows in sorted(domains.items(), key=lambda item: -sum(shares[row.code] for row in item[1]))
    )
    compared = None
    if one.comparisons:
        members = {code: [row.code for row in rows] for code, rows in domains.items()}
        named = {domain for a, b, _value in one.comparisons for domain in (a, b)}
        # Where an indicator has moved to another domain since, what was compared says nothing of it.
        if set(members) <= named and len(members) > 1:
            compared = domain_weights(members, [tuple(row) for row in one.comparisons])
    return OneView(
        finding=_one_finding(one, largest, domains, shares, lang),
        consistency=words.consistency_text(compared.consistency, compared.domains) if compared else "",
        is_consistent=compared is None or compared.consistency.is_consistent,
        domains=views,
        comparisons=tuple(
            (words.domain_name(a), words.domain_name(b), words.pair_text(a, b, steps_of(value)))
            for a, b, value in one.comparisons
        ),
    )


def _one_finding(
    one: WeightSet,
    largest: str,
    domains: Mapping[str, Sequence[IndicatorRow]],
    shares: Mapping[str, float],
    lang: str,
) -> str:
    values = {"who": formats.isolated(one.organisation.name, lang), "name": formats.isolated(one.name, lang)}
    if not largest:
        return _("%(name)s: the city measures none of these indicators.") % values
    sums = sorted(((sum(shares[row.code] for row in rows), code) for code, rows in domains.items()), reverse=True)
    values |= {"domain": _in_sentence(largest), "share": formats.percent(sums[0][0], lang)}
    if one.how == WeightSet.How.PAIRWISE and len(sums) > 1:  # within a domain all weigh alike
        return _("For %(who)s, %(domain)s counts most (%(share)s), then %(second)s (%(second_share)s).") % {
            **values,
            "second": _in_sentence(sums[1][1]),
            "second_share": formats.percent(sums[1][0], lang),
        }
    top = max(domains[largest], key=lambda row: shares[row.code])
    return _("For %(who)s, %(domain)s counts most (%(share)s), and in it “%(indicator)s”.") % {
        **values,
        "indicator": top.short,
    }


def _in_sentence(domain: str) -> str:
    return pgettext("domain in a sentence", "the %(name)s domain") % {"name": words.domain_name(domain)}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to a set."""

    word: str
    at_text: str
    actor: str
    what: str


def history_view(entries: Sequence[HistoryRow]) -> tuple[Step, ...]:
    """Present what was done to a set of weights."""
    lang = language()
    told = {
        "record": pgettext("weights", "kept"),
        "amend": pgettext("weights", "changed"),
        "withdraw": _("put away"),
        "restore": _("taken out again"),
    }
    fields = {
        "name_fa": _("name"),
        "name_en": _("name"),
        "how": _("way"),
        "weights": _("weights"),
        "comparisons": _("comparisons"),
        "note": _("note"),
    }
    return tuple(
        Step(
            told.get(entry.event, entry.event),
            formats.moment(timezone.localtime(entry.at), lang),
            entry.actor or "",
            formats.listing(list(dict.fromkeys(fields[name] for name in entry.details if name in fields)), lang),
        )
        for entry in entries
    )


def done_sentence(event: str) -> str:
    """Say that something was done to a set of weights."""
    return {
        "record": _("The weights are kept."),
        "amend": _("The weights are changed."),
        "withdraw": _("The weights are put away. They can be taken out again."),
        "restore": _("The weights are taken out again."),
    }[event]


__all__ = [
    "OneView",
    "SetView",
    "Step",
    "done_sentence",
    "history_view",
    "labels_of",
    "one_view",
    "set_told",
    "set_view",
    "use_address",
]
