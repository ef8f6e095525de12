"""Actions, overlaps and gaps as pages tell them. Pure: rows in, frozen words out; few people are not told to the public."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analysis.disclosure import suppressed
from interventions.core.gaps import Stage
from interventions.core.overlap import Likeness
from interventions.core.transitions import ActionState
from interventions.models import Action, Approach, Organisation
from interventions.selectors.actions import ActionMark, ActionRow, GapMatrix, RunningSums
from interventions.selectors.overlapping import OverlapRow, Undertaking
from maps.actions.calendar import Calendar, Strip
from maps.pages import formats
from maps.pages.reader import language

STATE_CSS: Final[Mapping[str, str]] = {state.value: f"a-{state.value}" for state in ActionState}

_BILLION: Final = 1_000_000_000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action as lists and its own page show it."""

    pk: int
    address: str
    title: str
    organisation: str
    organisation_kind: str
    place: str
    place_code: str
    sector: str
    approach: str
    state: str
    state_name: str
    css: str
    period: str
    done_percent: int | None
    done_text: str
    budget_text: str
    spent_text: str
    is_over_budget: bool
    targeted_text: str
    reached_text: str
    late_text: str
    is_public: bool
    strip: Strip | None
    lon_lat: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class OverlapView:
    """Two undertakings that overlap, in a sentence, with what they have in common."""

    sentence: str
    kind: str
    is_same: bool
    sides: tuple[tuple[str, str, str], ...]
    common: str


@dataclass(frozen=True, slots=True)
class GapCell:
    """Needs of a place and sector: how many have no decision, of how many; and the people concerned, at least."""

    text: str
    css: str
    title: str
    query: str = ""
    """Asks the list of needs for those without a decision."""


@dataclass(frozen=True, slots=True)
class GapView:
    """The matrix of gaps; ``cut`` says so where it does not show all places."""

    sentence: str
    sectors: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[GapCell, ...], GapCell], ...]
    totals: tuple[GapCell, ...]
    key: tuple[tuple[str, str], ...]
    cut: str


# ---- words


def money(sum_irr: Decimal | int, lang: str) -> str:
    """Write a sum of rials as people say it.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     money(Decimal(9_600_000_000), "en"), money(350_000_000, "en"), money(0, "en")
    ('9.6 billion rials', '350 million rials', '0 rials')
    """
    value = float(sum_irr)
    for unit, text in ((_BILLION, _("%(n)s billion rials")), (_MILLION, _("%(n)s million rials"))):
        if abs(value) >= unit:
            scaled = value / unit
            return text % {"n": formats.number(scaled, lang, 0 if scaled >= 100 or scaled == int(scaled) else 1)}
    return _("%(n)s rials") % {"n": formats.number(value, lang)}


def grouped(sum_irr: Decimal | int, lang: str) -> str:
    """Write a sum of rials to the last rial, as it is entered into forms too.

    Examples
    --------
    >>> grouped(Decimal(999_999_999_999_999_999), "en"), grouped(12_500, "fa")
    ('999,999,999,999,999,999', '۱۲٬۵۰۰')
    """
    text = f"{int(sum_irr):,}"
    return formats.digits(text.replace(",", "٬"), "fa") if lang == "fa" else text


def people(count: int, is_insider: bool, lang: str) -> str:
    """Write a number of people; few are not told to the public."""
    return _("withheld") if not is_insider and suppressed(count) else formats.number(count, lang)


def state_name(state: str) -> str:
    """Return the word for a state."""
    return str(Action.State(state).label)


def event_name(event: str) -> str:
    """Return what a step is called on its button and in the history."""
    names = {
        "enter": pgettext("what was done", "entered"),
        "amend": pgettext("what was done", "changed"),
        "report": pgettext("what was done", "progress reported"),
        "start": pgettext("what was done", "started"),
        "suspend": pgettext("what was done", "suspended"),
        "finish": pgettext("what was done", "done"),
        "reopen": pgettext("what was done", "taken up again"),
        "hand-over": pgettext("what was done", "handed over"),
        "cancel": pgettext("what was done", "cancelled"),
        "attach": pgettext("what was done", "photo or document"),
    }
    return names.get(event, event)


# ---- actions


def sentence(city: str, running: RunningSums, overlaps: Sequence[OverlapRow]) -> str:
    """Say what a city's institutions do, what is late, and what is done twice."""
    lang = language()
    city = formats.isolated(city, lang)
    if not running.actions:
        return _("No action runs in %(city)s at the moment.") % {"city": city}
    text = ngettext(
        "%(institutions)s institutions carry out %(n)s action in %(city)s",
        "%(institutions)s institutions carry out %(n)s actions in %(city)s",
        running.actions,
    ) % {
        "institutions": formats.number(running.institutions, lang),
        "n": formats.number(running.actions, lang),
        "city": city,
    }
    if running.late:
        text += _("; %(n)s of them late") % {"n": formats.number(running.late, lang)}
    text += "."
    twice = sum(one.likeness == Likeness.SAME for one in overlaps)
    if twice:
        text += " " + ngettext(
            "In %(n)s case two institutions do the same thing in the same place at the same time.",
            "In %(n)s cases two institutions do the same thing in the same place at the same time.",
            twice,
        ) % {"n": formats.number(twice, lang)}
    return text


def action_view(
    city_code: str,
    row: ActionRow,
    today: date,
    *,
    is_insider: bool,
    calendar: Calendar | None = None,
    places: Mapping[str, tuple[float, float]] | None = None,
) -> ActionView:
    """Present an action.

    Parameters
    ----------
    places
        Where places are, by path, for actions that are for a whole place.
    """
    lang = language()
    percent = row.done_percent
    return ActionView(
        pk=row.pk,
        address=reverse("action", args=[city_code, row.pk]),
        title=row.title,
        organisation=row.organisation.name,
        organisation_kind=str(Organisation.Kind(row.organisation_kind).label),
        place=row.place.name,
        place_code=row.place.code,
        sector=row.sector.name,
        approach=str(Approach(row.approach).label),
        state=row.state,
        state_name=state_name(row.state),
        css=STATE_CSS[row.state],
        period=_("%(first)s to %(last)s")
        % {"first": formats.day(row.starts_on, lang), "last": formats.day(row.ends_on, lang)},
        done_percent=percent,
        done_text=formats.DASH if percent is None else formats.percent(percent / 100, lang),
        budget_text=money(row.budget_irr, lang),
        spent_text=money(row.spent_irr, lang),
        is_over_budget=row.spent_irr > row.budget_irr,
        targeted_text=people(row.people_targeted, is_insider, lang),
        reached_text=people(row.people_reached, is_insider, lang),
        late_text=_late_text(row, today, lang),
        is_public=row.is_public,
        strip=calendar.strip(row, today) if calendar else None,
        lon_lat=lon_lat_of(row) or (places or {}).get(row.place_path),
    )


def _late_text(row: ActionRow, today: date, lang: str) -> str:
    if not row.is_late:
        return ""
    not_begun = row.state == ActionState.PLANNED and row.ends_on >= today
    days = (today - (row.starts_on if not_begun else row.ends_on)).days
    text = (
        ngettext("should have begun %(n)s day ago", "should have begun %(n)s days ago", days)
        if not_begun
        else ngettext("should have been done %(n)s day ago", "should have been done %(n)s days ago", days)
    )
    return text % {"n": formats.number(days, lang)}


def lon_lat_of(row: ActionRow) -> tuple[float, float] | None:
    """Return a point of an action's own on the map."""
    if row.geometry is None:
        return None
    point = row.geometry.point_on_surface
    return (round(point.x, 6), round(point.y, 6))


def map_features(found: Iterable[ActionMark], places: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return what the live map shows: a point for each action. Several at one point stand in a ring around it.

    Parameters
    ----------
    places
        Where places are, by path, for actions that are for a whole place.
    """
    at: dict[tuple[float, float], int] = {}
    features = []
    for mark in found:
        point = mark.lon_lat or places.get(mark.place_path)
        if point is None:
            continue
        turn = at.get(point, 0)
        at[point] = turn + 1
        features.append(
            {
                "type": "Feature",
                "id": mark.pk,
                "properties": {"number": mark.pk, "state": mark.state, "late": mark.is_late, "turn": turn},
                "geometry": {"type": "Point", "coordinates": list(point)},
            }
        )
    return {"type": "FeatureCollection", "features": features}


# ---- overlaps


def overlap_view(city_code: str, row: OverlapRow, proposal_address: Callable[[int], str]) -> OverlapView:
    """Present two undertakings that overlap."""
    lang = language()
    is_same = row.likeness == Likeness.SAME
    words = {
        "first": formats.isolated(row.first.organisation.name, lang),
        "second": formats.isolated(row.second.organisation.name, lang),
        "sector": row.first.sector.name,
        "place": formats.isolated(row.first.place.name, lang),
    }
    if row.first.place.code != row.second.place.code:
        words["place"] = formats.listing(
            [formats.isolated(side.place.name, lang) for side in (row.first, row.second)], lang
        )
    text = (
        _("%(first)s and %(second)s do the same in %(place)s at the same time (%(sector)s).")
        if is_same
        else _("%(first)s and %(second)s work side by side in %(place)s (%(sector)s).")
        if row.likeness == Likeness.OVERLAPPING
        else _("%(first)s and %(second)s work near each other in %(place)s (%(sector)s).")
    )
    shares = {
        name: formats.percent(share, lang)
        for name, share in (("space", row.space), ("time", row.time), ("groups", row.beneficiaries))
    }
    common = (
        _(
            "In common, of the smaller one: %(space)s of the ground, %(time)s of the time, %(groups)s of the groups of people it is for."
        )
        if row.first.groups or row.second.groups
        else _("In common, of the smaller one: %(space)s of the ground, %(time)s of the time.")
    ) % shares
    return OverlapView(
        sentence=text % words,
        kind=_("the same") if is_same else _("overlapping"),
        is_same=is_same,
        sides=tuple(_side(city_code, side, proposal_address, lang) for side in (row.first, row.second)),
        common=common,
    )


def _side(city_code: str, side: Undertaking, proposal_address: Callable[[int], str], lang: str) -> tuple[str, str, str]:
    """Return the title of one side, its address and its time."""
    address = reverse("action", args=[city_code, side.pk]) if side.is_action else proposal_address(side.pk)
    ends = [formats.day(day, lang) if day else "" for day in (side.starts_on, side.ends_on)]
    period = _("%(first)s to %(last)s") % {"first": ends[0], "last": ends[1]} if all(ends) else _("time not fixed")
    kind = "" if side.is_action else _("proposal") + " · "
    return (side.title, address, f"{kind}{period}")


# ---- gaps

_BOUNDS: Final = (1, 2, 3, 5)
MOST_PLACES: Final = 50
"""Places that the matrix of gaps shows, those with most needs without a decision."""
"""Needs without a decision from which on a cell gets the next darker colour."""


def gap_view(matrix: GapMatrix, *, is_insider: bool) -> GapView | None:
    """Present the gaps; None where nothing is needed."""
    if not matrix.places:
        return None
    lang, found = language(), matrix.found
    gap, needs, in_gap = found.gap, found.needs, found.people_in_gap
    stages = found.counts

    def cell(undecided: int, all_: int, concerned: int | None, **asked: str) -> GapCell:
        if not all_:
            return GapCell("", "", "")
        text = _("%(n)s of %(all)s") % {"n": formats.number(undecided, lang), "all": formats.number(all_, lang)}
        title = ""
        if undecided and concerned is not None:
            title = _("at least %(people)s people") % {"people": people(concerned, is_insider, lang)}
            if not is_insider and suppressed(concerned):
                title = _("few people")
        query = urlencode(asked | {"standing": "undecided"}) if is_insider and undecided and asked else ""
        return GapCell(text, f"c-deficit-{sum(undecided >= bound for bound in _BOUNDS)}", title, query)

    rows = []
    widest = sorted(range(len(matrix.places)), key=lambda i: -int(gap[i].sum()))[:MOST_PLACES]
    for i in widest:
        place = matrix.places[i]
        area = {"area": place.code}
        cells = tuple(
            cell(int(gap[i, k]), int(needs[i, k]), int(in_gap[i, k]), sector=sector.code, **area)
            for k, sector in enumerate(matrix.sectors)
        )
        rows.append((place.code, place.name, cells, cell(int(gap[i].sum()), int(needs[i].sum()), None, **area)))
    totals = tuple(
        cell(int(gap[:, k].sum()), int(needs[:, k].sum()), None, sector=sector.code)
        for k, sector in enumerate(matrix.sectors)
    )
    done = int(stages[:, :, Stage.DONE].sum())
    text = ngettext(
        "Of %(all)s need, %(n)s has no decision yet; met: %(done)s.",
        "Of %(all)s needs, %(n)s have no decision yet; met: %(done)s.",
        int(needs.sum()),
    ) % {
        "all": formats.number(int(needs.sum()), lang),
        "n": formats.number(int(gap.sum()), lang),
        "done": formats.number(done, lang),
    }
    worst_place, worst_sector = divmod(int(gap.argmax()), gap.shape[1])
    if gap.max() > 0:
        text += " " + _("The widest gap: %(sector)s in %(place)s.") % {
            "sector": matrix.sectors[worst_sector].name,
            "place": formats.isolated(matrix.places[worst_place].name, lang),
        }
    ends = []
    for low, high in itertools.pairwise(_BOUNDS):
        only = formats.number(low, lang)
        ends.append(only if low + 1 == high else f"{only}–{formats.number(high - 1, lang)}")
    key = [("c-deficit-0", _("none")), *((f"c-deficit-{k + 1}", text_) for k, text_ in enumerate(ends))]
    key.append((f"c-deficit-{len(_BOUNDS)}", _("%(n)s and more") % {"n": formats.number(_BOUNDS[-1], lang)}))
    cut = ""
    if len(rows) < len(matrix.places):
        cut = _("Shown are the %(n)s places with most needs without a decision, of %(all)s.") % {
            "n": formats.number(len(rows), lang),
            "all": formats.number(len(matrix.places), lang),
        }
    return GapView(text, tuple(sector.name for sector in matrix.sectors), tuple(rows), totals, tuple(key), cut)
