"""A plan as its page tells it: sentence, map, sites, curve, places. Pure: what a run keeps in, frozen words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from maps.pages import formats
from maps.pages.reader import language
from maps.siting.telling import gap_text, limit_phrase, name_of, people_text, proof_sentence

MOST_PLACES: Final = 12
LEAST_PEOPLE: Final = 0.5
"""Of a place: fewer are none."""
CHART: Final = (640.0, 220.0)
"""Width and height of the plot of the curve."""

MODEL_WORDS: Final[Mapping[str, tuple[Any, Any]]] = {
    "mclp": (
        gettext_lazy("most people newly reached"),
        gettext_lazy("With so many facilities or so much money, as many people as possible come within the limit."),
    ),
    "capacitated": (
        gettext_lazy("most people, each facility takes only so many"),
        gettext_lazy("As before, but nobody is counted for whom a new facility has no room."),
    ),
    "lscp": (
        gettext_lazy("fewest facilities that reach everybody"),
        gettext_lazy("As few facilities as possible, so that everybody who can be reached is within the limit."),
    ),
    "p-median": (
        gettext_lazy("shortest way on average"),
        gettext_lazy("The mean distance of all people to their nearest facility becomes as short as possible."),
    ),
    "p-centre": (
        gettext_lazy("shortest way for the farthest"),
        gettext_lazy(
            "Whoever lives farthest from a facility has as short a way as possible; how many live there does not count."
        ),
    ),
}
"""Each model with what it promises, in a sentence."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """A new facility of the plan."""

    number: int
    number_text: str
    lon: float
    lat: float
    lon_text: str
    lat_text: str
    place: str
    place_code: str
    name: str
    people_text: str
    nearest_text: str
    share: float


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place before and after."""

    code: str
    name: str
    is_settlement: bool
    people_text: str
    before_text: str
    after_text: str
    gained_text: str


@dataclass(frozen=True, slots=True)
class BarView:
    """So many facilities, with what all of them and the last one of them newly reach."""

    sites_text: str
    people_text: str
    adds_text: str
    is_nested: bool
    is_chosen: bool
    x: float
    width: float
    y: float
    height: float
    top_height: float
    middle: float


@dataclass(frozen=True, slots=True)
class CurveView:
    """The marginal curve; ``is_moved`` tells whether a choice gives up sites of the one before."""

    sentence: str
    bars: tuple[BarView, ...]
    width: float
    height: float
    is_moved: bool


@dataclass(frozen=True, slots=True)
class FactView:
    """A number of the plan, with what it means."""

    name: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlanView:
    """Everything the page of a plan says."""

    service: str
    finding: str
    proof: str
    basis: tuple[str, ...]
    sites: tuple[SiteView, ...]
    facts: tuple[FactView, ...]
    curve: CurveView | None
    gaining: tuple[PlaceView, ...]
    gaining_more: tuple[PlaceView, ...]
    left: tuple[PlaceView, ...]
    left_sentence: str
    method: tuple[str, ...]
    asked: tuple[tuple[str, str], ...]
    scenario_name: str


def plan_view(run: Any) -> PlanView:
    """Present a plan that a run keeps."""
    lang, asked, result = language(), run.parameters, run.result
    service = name_of(asked, "service_name", lang)
    places = result["places"]
    gaining = sorted((row for row in places if row["gained"] >= LEAST_PEOPLE), key=lambda row: -row["gained"])
    left = sorted((row for row in places if row["after"] >= LEAST_PEOPLE), key=lambda row: -row["after"])
    views = tuple(_place(row, lang) for row in gaining)
    return PlanView(
        service=service,
        finding=finding(asked, result),
        proof=proof_sentence(asked, result),
        basis=_basis(asked, result, lang),
        sites=_sites(result, lang),
        facts=_facts(asked, result, lang),
        curve=_curve(asked, result, lang),
        gaining=views[:MOST_PLACES],
        gaining_more=views[MOST_PLACES:],
        left=tuple(_place(row, lang) for row in left[:MOST_PLACES]),
        left_sentence=_left_sentence(asked, result, lang),
        method=_method(run, lang),
        asked=_asked(asked, result, lang),
        scenario_name=_scenario_name(asked, result, lang)[:200],
    )


def finding(asked: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Say what a plan does, in a sentence."""
    lang, n, model = language(), len(result["sites"]), asked["model"]
    values = {
        "n": formats.number(n, lang),
        "service": name_of(asked, "service_name", lang),
        "people": people_text(result["people_gained"], lang),
        "of": people_text(result["people_uncovered_today"], lang),
        "limit": limit_phrase(asked["threshold_m"], asked["travel"], lang),
        "before": _distance(result, "mean_m" if model == "p-median" else "farthest_m", 0, asked, lang),
        "after": _distance(result, "mean_m" if model == "p-median" else "farthest_m", 1, asked, lang),
        "room": people_text(result["people_gained_in_blocks"], lang),
    }
    if not n:
        return _("%(service)s: no new facility among these candidates would help anybody.") % values
    if model == "p-median":
        text = ngettext(
            "%(service)s: %(n)s new facility would shorten the mean way from %(before)s to %(after)s.",
            "%(service)s: %(n)s new facilities would shorten the mean way from %(before)s to %(after)s.",
            n,
        )
    elif model == "p-centre":
        text = ngettext(
            "%(service)s: with %(n)s new facility the farthest would have %(after)s to go instead of %(before)s.",
            "%(service)s: with %(n)s new facilities the farthest would have %(after)s to go instead of %(before)s.",
            n,
        )
    elif model == "capacitated":
        text = ngettext(
            "%(service)s: %(n)s new facility would have room for %(room)s more people within %(limit)s.",
            "%(service)s: %(n)s new facilities would have room for %(room)s more people within %(limit)s.",
            n,
        )
    elif model == "lscp":
        text = ngettext(
            "%(service)s: %(n)s new facility would reach everybody who can be reached within %(limit)s: %(people)s more people.",
            "%(service)s: %(n)s new facilities would reach everybody who can be reached within %(limit)s: %(people)s more people.",
            n,
        )
    else:
        text = ngettext(
            "%(service)s: %(n)s new facility would bring %(people)s more people within %(limit)s.",
            "%(service)s: %(n)s new facilities would bring %(people)s more people within %(limit)s.",
            n,
        )
    return text % values


def _basis(asked: Mapping[str, Any], result: Mapping[str, Any], lang: str) -> tuple[str, ...]:
    found = [
        _("%(people)s people live beyond the limit today")
        % {"people": people_text(result["people_uncovered_today"], lang)},
        ngettext("%(n)s candidate", "%(n)s candidates", result["candidates"])
        % {"n": formats.number(result["candidates"], lang)},
    ]
    if asked["by_priority"]:
        found.append(_("people counted by the priority of their place"))
    return tuple(found)


def _sites(result: Mapping[str, Any], lang: str) -> tuple[SiteView, ...]:
    most = max((site["people"] for site in result["sites"]), default=0.0) or 1.0
    return tuple(
        SiteView(
            number=n,
            number_text=formats.number(n, lang),
            lon=site["lon"],
            lat=site["lat"],
            lon_text=f"{site['lon']:.7f}",
            lat_text=f"{site['lat']:.7f}",
            place=_place_name(site["place"], lang) if site["place"] else _("outside all places"),
            place_code=site["place"]["code"] if site["place"] else "",
            name=site["name"]
            or (_("feature %(n)s") % {"n": formats.digits(site["feature"], lang)} if site["feature"] else ""),
            people_text=people_text(site["people"], lang),
            nearest_text=people_text(site["nearest"], lang),
            share=round(100 * site["people"] / most, 1),
        )
        for n, site in enumerate(result["sites"], start=1)
    )


def _facts(asked: Mapping[str, Any], result: Mapping[str, Any], lang: str) -> tuple[FactView, ...]:
    share = result["people_gained"] / result["people_uncovered_today"] if result["people_uncovered_today"] else 0.0
    found = [
        FactView(
            _("newly within the limit"),
            people_text(result["people_gained"], lang),
            _("%(share)s of those beyond it today") % {"share": formats.percent(share, lang)},
        ),
        FactView(
            _("mean distance"),
            _("%(before)s → %(after)s")
            % {
                "before": _distance(result, "mean_m", 0, asked, lang),
                "after": _distance(result, "mean_m", 1, asked, lang),
            },
        ),
        FactView(
            _("farthest"),
            _("%(before)s → %(after)s")
            % {
                "before": _distance(result, "farthest_m", 0, asked, lang),
                "after": _distance(result, "farthest_m", 1, asked, lang),
            },
        ),
    ]
    if result["spent"] is not None:
        found.append(FactView(_("cost"), formats.number(result["spent"], lang)))
    return tuple(found)


def _distance(result: Mapping[str, Any], name: str, which: int, asked: Mapping[str, Any], lang: str) -> str:
    return formats.cost(result[name][which], lang, asked["travel"] in ("walking", "cycling", "surface"))


def _curve(asked: Mapping[str, Any], result: Mapping[str, Any], lang: str) -> CurveView | None:
    """Draw what 1, 2, … facilities reach: at best where that was computed, else in the order of the plan."""
    n_chosen = len(result["sites"])
    if result["curve"]:
        points = [(one["people"], one["adds_people"], one["is_nested"]) for one in result["curve"]]
    else:
        points, total = [], 0.0
        for site in result["sites"]:
            total += site["people"]
            points.append((total, site["people"], True))
    most = max((people for people, *_rest in points), default=0.0)
    if len(points) < 2 or most <= 0:
        return None
    width, height = CHART
    step = width / len(points)
    bars = []
    for k, (people, adds, is_nested) in enumerate(points):
        at = k if lang != "fa" else len(points) - 1 - k
        tall = height * people / most
        bars.append(
            BarView(
                sites_text=formats.number(k + 1, lang),
                people_text=people_text(people, lang),
                adds_text=people_text(adds, lang) if adds >= 0 else "−" + people_text(-adds, lang),
                is_nested=is_nested,
                is_chosen=k + 1 == n_chosen,
                x=round(at * step + step * 0.14, 2),
                width=round(step * 0.72, 2),
                y=round(height - tall, 2),
                height=round(tall, 2),
                top_height=round(max(height * min(adds, people) / most, 0.0), 2),
                middle=round((at + 0.5) * step, 2),
            )
        )
    sentence = _curve_sentence(points, n_chosen, bool(result["curve"]), lang)
    return CurveView(sentence, tuple(bars), width, height, not all(bar.is_nested for bar in bars))


def _curve_sentence(points: Sequence[tuple[float, float, bool]], n_chosen: int, is_best: bool, lang: str) -> str:
    first, last = points[0], points[min(max(n_chosen, 1), len(points)) - 1]
    values = {
        "first": people_text(first[1], lang),
        "last": people_text(last[1], lang),
        "n": formats.number(n_chosen, lang),
        "next": "",
    }
    if is_best and n_chosen < len(points):
        values["next"] = people_text(points[n_chosen][1], lang)
        return (
            _(
                "The first facility newly reaches %(first)s people; the last of the %(n)s adds %(last)s, and one more would add %(next)s."
            )
            % values
        )
    return _("The first facility newly reaches %(first)s people; the last of the %(n)s adds %(last)s.") % values


def _place(row: Mapping[str, Any], lang: str) -> PlaceView:
    return PlaceView(
        row["code"],
        _place_name(row, lang),
        row["kind"] == "settlement",
        people_text(row["people"], lang),
        people_text(row["before"], lang),
        people_text(row["after"], lang),
        people_text(row["gained"], lang),
    )


def _place_name(row: Mapping[str, Any], lang: str) -> str:
    return str(row["name_en"] if lang == "en" else row["name"])


def _left_sentence(asked: Mapping[str, Any], result: Mapping[str, Any], lang: str) -> str:
    left = result["people_uncovered_today"] - result["people_gained"]
    limit = limit_phrase(asked["threshold_m"], asked["travel"], lang)
    if left < LEAST_PEOPLE:
        return _("Everybody would be within %(limit)s.") % {"limit": limit}
    found = _("%(people)s people would still live beyond %(limit)s.") % {
        "people": people_text(left, lang),
        "limit": limit,
    }
    if result["people_hopeless"] >= 1:
        found += " " + _("No candidate could reach %(people)s of them.") % {
            "people": people_text(result["people_hopeless"], lang)
        }
    if result["people_without_way"] >= 1:
        found += " " + _("%(people)s people have no way to any facility at all.") % {
            "people": people_text(result["people_without_way"], lang)
        }
    return found


def _asked(asked: Mapping[str, Any], result: Mapping[str, Any], lang: str) -> tuple[tuple[str, str], ...]:
    """Say what was asked, line by line."""
    money = asked["budget"]
    candidates = (
        _("features of the layer “%(layer)s”") % {"layer": asked["candidates"]}
        if asked["candidates"]
        else _("points where people live, %(distance)s apart")
        % {"distance": formats.distance(asked["spacing_m"], lang)}
    )
    forbidden = [
        part
        for part in (
            _("the layer “%(layer)s”") % {"layer": asked["forbidden"]} if asked["forbidden"] else "",
            _("drawn ground") if asked["forbidden_drawn"] else "",
        )
        if part
    ]
    rows = [
        (_("Aim"), str(MODEL_WORDS[asked["model"]][0])),
        (_("Limit"), limit_phrase(asked["threshold_m"], asked["travel"], lang)),
        (_("New facilities"), formats.number(asked["sites"], lang) if asked["sites"] else ""),
        (_("Budget"), formats.number(money, lang) if money is not None else ""),
        (_("Cost of one"), formats.number(asked["site_cost"], lang) if asked["site_cost"] else ""),
        (_("People that one takes"), formats.number(asked["capacity"], lang) if asked["capacity"] else ""),
        (
            _("Who counts"),
            _("people, weighted by the priority of their place") if asked["by_priority"] else _("all people alike"),
        ),
        (_("Candidates"), f"{candidates} ({formats.number(result['candidates'], lang)})"),
        (
            _("Forbidden ground"),
            f"{formats.listing(forbidden, lang)} ({formats.number(result['forbidden'], lang)})" if forbidden else "",
        ),
    ]
    return tuple((name, text) for name, text in rows if text)


def _method(run: Any, lang: str) -> tuple[str, ...]:
    asked, result = run.parameters, run.result
    lines = [
        _(
            "People are gathered in %(n)s blocks of 100 m; each block reaches a site or not by the mean way of its people. "
            "What the plan does is then told cell by cell by the engine of coverage, which is why numbers may differ by a little."
        )
        % {"n": formats.number(result["blocks"], lang)},
        _(
            "Facilities of today stay where they are. The order of the sites is that in which each adds most to those before it."
        ),
    ]
    if asked["model"] == "capacitated":
        lines.append(
            _(
                "Whoever has a facility near enough today is taken to stay there; room is counted for the others, who may be shared "
                "out among the new facilities."
            )
        )
    if asked["model"] == "lscp":
        lines.append(_("Whoever is out of reach of every candidate is left out of the demand, and told above."))
    if result["gap"] is not None:
        lines.append(
            _("Proven with the solver HiGHS or by Lagrangian bounds: gap %(gap)s, in %(seconds)s s of computing.")
            % {
                "gap": gap_text(result["gap"], lang),
                "seconds": formats.number(run.duration_ms / 1000, lang, 1),
            }
        )
    return tuple(lines)


def _scenario_name(asked: Mapping[str, Any], result: Mapping[str, Any], lang: str) -> str:
    n = len(result["sites"])
    return ngettext("%(n)s new facility: %(service)s", "%(n)s new facilities: %(service)s", n) % {
        "n": formats.number(n, lang),
        "service": name_of(asked, "service_name", lang),
    }


# ---- the list, and the form


@dataclass(frozen=True, slots=True)
class RunRow:
    """A plan in the list."""

    number: int
    finding: str
    proof: str
    model: str
    when: str
    who: str


def run_row(run: Any) -> RunRow:
    """Present a plan in the list."""
    return RunRow(
        run.pk,
        finding(run.parameters, run.result),
        proof_sentence(run.parameters, run.result),
        str(MODEL_WORDS[run.parameters["model"]][0]),
        formats.moment(timezone.localtime(run.created_at), language()),
        (run.author.get_full_name() or run.author.get_username()) if run.author else "",
    )


__all__ = [
    "MODEL_WORDS", "BarView", "CurveView", "FactView", "PlaceView", "PlanView", "RunRow", "SiteView", "finding", "plan_view", "run_row",
]  # fmt: skip
