"""Capacities as data for their pages: words for kinds and events, sentences. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.models import Capacity
from interventions.selectors import CapacityRow, HistoryRow, KindCount
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class CapacityView:
    """A capacity as a list shows it."""

    pk: int
    address: str
    number_text: str
    title: str
    kind: str
    kind_text: str
    place: str
    sectors: str
    organisation: str
    amount_text: str
    contact: str
    reporter: str
    reported_text: str
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to a capacity."""

    word: str
    at_text: str
    actor: str
    note: str


def kind_words() -> dict[str, str]:
    """Return the kinds of capacities in words."""
    return {one.value: str(one.label) for one in Capacity.Kind}


def capacity_view(row: CapacityRow, city: str) -> CapacityView:
    """Present a capacity."""
    lang = language()
    line = " ".join(row.text.split())
    return CapacityView(
        pk=row.pk,
        address=reverse("capacity", args=[city, row.pk]),
        number_text=f"#{formats.digits(row.pk, lang)}",
        title=line if len(line) <= 140 else f"{line[:140].rsplit(' ', 1)[0]}…",
        kind=row.kind,
        kind_text=kind_words()[row.kind],
        place=row.place.name,
        sectors=formats.listing([sector.name for sector in row.sectors], lang) or _("any sector"),
        organisation=row.organisation.name,
        amount_text="" if row.amount is None else formats.number(row.amount, lang),
        contact=row.contact,
        reporter=row.reporter,
        reported_text=formats.day(timezone.localtime(row.reported_at), lang),
        is_withdrawn=row.is_withdrawn,
    )


def list_sentence(counts: Sequence[KindCount], city: str) -> str:
    """Say what a city has, by kind; small numbers are not told to the public."""
    lang = language()
    name = formats.isolated(city, lang)
    if not counts:
        return _("No capacity of %(city)s is recorded yet") % {"city": name}
    told = [count.count for count in counts if count.count is not None]
    if len(told) == len(counts):
        n = sum(told)
        return ngettext(
            "%(n)s capacity of %(city)s is recorded", "%(n)s capacities of %(city)s are recorded", n
        ) % {"n": formats.number(n, lang), "city": name}  # fmt: skip
    return _("What the people of %(city)s have and can give") % {"city": name}


def count_text(count: KindCount) -> str:
    """Say how many capacities of a kind there are."""
    return _("fewer than ten") if count.count is None else formats.number(count.count, language())


def texts_of(capacity: Capacity) -> list[tuple[str, str, str]]:
    """Return the texts of a capacity with their language and direction, that of the reader first."""
    both = (("fa", "rtl", capacity.text_fa), ("en", "ltr", capacity.text_en))
    return [one for one in sorted(both, key=lambda one: one[0] != language()) if one[2]]


def geometry_json(capacity: Capacity) -> Any:
    """Return what was marked, as GeoJSON."""
    return json.loads(capacity.geometry.geojson) if capacity.geometry else None


def features_of(rows: Sequence[CapacityRow], views: Sequence[CapacityView]) -> dict[str, Any]:
    """Return what is marked on the map of a list, as GeoJSON."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"title": view.title, "address": view.address},
                "geometry": json.loads(row.geometry.geojson),
            }
            for row, view in zip(rows, views, strict=True)
            if row.geometry is not None
        ],
    }


def history_view(entries: Sequence[HistoryRow]) -> tuple[Step, ...]:
    """Present what was done to a capacity."""
    lang = language()
    words = {
        "record": _("recorded"),
        "enter": _("recorded"),
        "amend": _("amended"),
        "withdraw": _("withdrawn"),
        "restore": _("restored"),
    }
    return tuple(
        Step(words.get(entry.event, entry.event), formats.moment(timezone.localtime(entry.at), lang), entry.actor or "", entry.note)
        for entry in entries
    )  # fmt: skip


def done_sentence(event: str) -> str:
    """Say that something was done to a capacity."""
    return {
        "record": _("The capacity is recorded."),
        "amend": _("The capacity is amended."),
        "withdraw": _("The capacity is withdrawn."),
        "restore": _("The capacity is there again."),
    }[event]


def near_sentence(count: int) -> str:
    """Say how many capacities there are where something is needed; empty where there are none."""
    if not count:
        return ""
    return ngettext(
        "%(n)s capacity recorded here could help.", "%(n)s capacities recorded here could help.", count
    ) % {"n": formats.number(count, language())}  # fmt: skip
