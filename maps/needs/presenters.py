"""Pages of needs as data: words for severities and events, rows for lists, members for the interface. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.models import PEOPLE_GROUPS, Need
from interventions.selectors import HistoryRow, NeedRow
from maps.pages import formats
from maps.pages.reader import language


@dataclass(frozen=True, slots=True)
class NeedView:
    """A need as a list shows it."""

    pk: int
    address: str
    number_text: str
    title: str
    place: str
    sector: str
    organisation: str
    severity: int
    severity_text: str
    bars: tuple[tuple[int, bool], ...]
    people_text: str
    state: str
    state_text: str
    reported_text: str
    proposals_text: str
    reporter: str


def severity_words() -> tuple[tuple[int, str], ...]:
    """Return the severities in words, the gravest last."""
    return (
        (1, _("a nuisance")),
        (2, _("a hardship")),
        (3, _("serious")),
        (4, _("very serious")),
        (5, _("a danger to life")),
    )


def group_words() -> tuple[tuple[str, str], ...]:
    """Return the groups of people in words."""
    words = {
        "women": _("women"),
        "children": _("children"),
        "older": _("older people"),
        "disabled": _("people with disabilities"),
    }
    return tuple((group, words[group]) for group in PEOPLE_GROUPS)


def event_word(event: str) -> str:
    """Return what was done to a need, as its history says it."""
    words = {
        "report": _("reported"),
        "amend": _("amended"),
        "confirm": _("confirmed"),
        "merge": _("merged into another"),
        "reject": _("rejected"),
        "reopen": _("taken up again"),
        "withdraw": _("withdrawn"),
    }
    return words.get(event, event)


def need_view(row: NeedRow, city: str) -> NeedView:
    """Present a need in a list."""
    lang = language()
    return NeedView(
        pk=row.pk,
        address=reverse("need", args=[city, row.pk]),
        number_text=f"#{formats.digits(row.pk, lang)}",
        title=shortened(row.text),
        place=row.place.name,
        sector=row.sector.name,
        organisation=row.organisation.name,
        severity=row.severity,
        severity_text=dict(severity_words())[row.severity],
        bars=tuple((i * 12, i < row.severity) for i in range(5)),
        people_text=people_text(row.people_affected),
        state=row.state,
        state_text=str(Need.State(row.state).label),
        reported_text=formats.day(timezone.localtime(row.reported_at), lang),
        proposals_text=(
            ngettext("%(n)s proposal", "%(n)s proposals", row.proposals) % {"n": formats.number(row.proposals, lang)}
            if row.proposals
            else ""
        ),
        reporter=row.reporter or "",
    )


def people_text(count: int) -> str:
    """Say how many people a need affects."""
    return ngettext("%(n)s person", "%(n)s people", count) % {"n": formats.number(count, language())}


def shortened(text: str, most: int = 140) -> str:
    """Return the first words of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]}…"


def similar_json(rows: Sequence[NeedRow], city: str) -> list[dict[str, Any]]:
    """Return needs that may say the same, for the form: no reporter is named."""
    found = []
    for row in rows:
        view = need_view(row, city)
        found.append(
            {
                "number": row.pk,
                "title": f"{view.number_text} {view.title}",
                "meta": " · ".join(
                    (view.place, view.severity_text, view.people_text, view.organisation, view.reported_text)
                ),
                "address": view.address,
            }
        )
    return found


def groups_of(need: Need) -> list[tuple[str, str]]:
    """Return the groups that a need counts apart, with their numbers."""
    lang = language()
    return [
        (word, formats.number(count, lang))
        for group, word in group_words()
        if (count := getattr(need, f"{group}_affected")) is not None
    ]


def texts_of(need: Need) -> list[tuple[str, str, str]]:
    """Return the texts of a need that its title does not tell whole, with their language and direction."""
    both = (("fa", "rtl", need.text_fa), ("en", "ltr", need.text_en))
    first = sorted(both, key=lambda one: one[0] != language())
    return [one for one in first if one[2] and one[2] != shortened(need.text)]


def geometry_json(need: Need) -> Any:
    """Return what was marked, as GeoJSON."""
    return json.loads(need.geometry.geojson) if need.geometry else None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to a need."""

    word: str
    at_text: str
    actor: str
    note: str
    into: str
    into_address: str


def history_view(entries: Sequence[HistoryRow], city: str) -> tuple[Step, ...]:
    """Present what was done to a need."""
    lang, found = language(), []
    for entry in entries:
        into = entry.details.get("merged_into")
        found.append(
            Step(
                word=event_word(entry.event),
                at_text=formats.moment(timezone.localtime(entry.at), lang),
                actor=entry.actor or "",
                note=entry.note,
                into=f"#{formats.digits(into, lang)}" if entry.event == "merge" and into else "",
                into_address=reverse("need", args=[city, into]) if entry.event == "merge" and into else "",
            )
        )
    return tuple(found)


def done_sentence(event: str) -> str:
    """Say that something was done to a need."""
    words = {
        "confirm": _("The need is confirmed."),
        "merge": _("The need is merged into the other."),
        "reject": _("The need is rejected."),
        "reopen": _("The need is taken up again."),
        "withdraw": _("The need is withdrawn."),
    }
    return words.get(event, "")


def standing_words(standings: Sequence[str]) -> list[tuple[str, str]]:
    """Return what the list may be narrowed to, in words."""
    words = {
        "open": _("all that count"),
        "reported": _("reported, not yet confirmed"),
        "confirmed": _("confirmed"),
        "unanswered": _("unanswered"),
        "undecided": _("without a decision"),
        "answered": _("answered"),
        "decided": _("decided"),
        "done": _("met"),
        "merged": _("merged into another"),
        "rejected": _("rejected"),
        "withdrawn": _("withdrawn"),
        "all": _("all"),
        "mine": _("reported by me"),
    }
    return [(code, words[code]) for code in standings]


def list_sentence(total: int, standing: str) -> str:
    """Say how many needs the list has."""
    n = formats.number(total, language())
    if not total:
        return _("No such need.")
    if standing == "unanswered":
        return ngettext("%(n)s need without an answer", "%(n)s needs without an answer", total) % {"n": n}
    if standing == "reported":
        return ngettext("%(n)s need waits for confirmation", "%(n)s needs wait for confirmation", total) % {"n": n}
    return ngettext("%(n)s need, the gravest first", "%(n)s needs, the gravest first", total) % {"n": n}
