"""Settlement form as its pages tell it. Pure: results in, frozen words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.models import Run
from analysis.results import PlaceRow
from analysis.settlement_form import Worn
from maps.actions.presenters import money
from maps.blocks.forms import NARROWEST, NEEDED, WIDTHS, Asked
from maps.pages import formats
from maps.pages.measured import Choice
from maps.pages.reader import language

FIRST_BLOCKS: Final = 12

GOAL_WORDS: Final[Mapping[str, tuple[Any, Any]]] = {
    "least-length": (
        gettext_lazy("Shortest paths"),
        gettext_lazy("As little new path as can be; dead ends are allowed."),
    ),
    "least-homes": (
        gettext_lazy("Fewest homes touched"),
        gettext_lazy("Goes round homes where it can, even if the path gets longer."),
    ),
    "through-streets": (
        gettext_lazy("Through streets"),
        gettext_lazy(
            "The shortest, and more, so that nobody walks a detour of more than three times the straight line."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block of the table."""

    number: int
    number_text: str
    css: str
    lon: float
    lat: float
    homes_text: str
    without_text: str
    k_text: str
    narrow_text: str
    small_text: str
    worn_text: str
    is_isolated: bool


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of a place in words."""

    finding: str
    basis: str
    figures: tuple[tuple[str, str], ...]
    blocks: tuple[BlockView, ...]
    more: tuple[BlockView, ...]
    layers: tuple[tuple[str, str, str], ...]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place of the city's table."""

    code: str
    name: str
    is_settlement: bool
    is_measured: bool
    homes_text: str
    without_text: str
    share_text: str
    bar: float
    k_text: str
    narrow_text: str
    small_text: str
    worn_text: str
    css: str


@dataclass(frozen=True, slots=True)
class CityView:
    """The places of a city by how many homes are without access."""

    finding: str
    basis: str
    rows: tuple[PlaceView, ...]
    waiting: tuple[str, ...]
    fills: Mapping[str, str]
    key: tuple[tuple[str, str], ...]
    progress: str


@dataclass(frozen=True, slots=True)
class AlternativeView:
    """Paths of a goal, beside those of the others."""

    goal: str
    name: str
    means: str
    length_text: str
    cost_text: str
    touched_text: str
    served_text: str
    left_text: str
    k_text: str
    note: str
    pieces: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan that somebody kept."""

    number: int
    name: str
    note: str
    who: str
    when: str
    length_text: str
    touched_text: str
    left_text: str
    k_text: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class ChoicesView:
    """What can be chosen on the pages."""

    narrowest: tuple[Choice, ...]
    widths: tuple[Choice, ...]
    marks: tuple[Choice, ...]
    share: str
    cost: str


def choices_view(asked: Asked) -> ChoicesView:
    """Present what can be chosen, and what is."""
    lang = language()

    def metres(text: str) -> str:
        return _("%(n)s m") % {"n": formats.digits(text, lang).replace(".", "٫" if lang == "fa" else ".")}

    def of(name: str, known: Sequence[str], words: Mapping[str, str]) -> tuple[Choice, ...]:
        chosen = asked.chosen[name]
        every = known if chosen in known else (*known, chosen)
        return tuple(Choice(one, words.get(one) or metres(one), one == chosen) for one in every)

    return ChoicesView(
        of("narrowest", NARROWEST, {"0": _("of any width")}),
        of("width", WIDTHS, {}),
        of("marks", NEEDED, {"1": _("any one mark"), "2": _("two marks"), "3": _("all three marks")}),
        formats.digits(asked.chosen["share"], lang),
        formats.number(float(asked.chosen["cost"]), lang) if asked.chosen["cost"] != "0" else "",
    )


# ---- one place


def form_view(
    record: Mapping[str, Any],
    name: str,
    asked: Asked,
    worn: Sequence[Worn],
    isolated: Sequence[int],
    layers: Mapping[str, str],
) -> FormView:
    """Present the form of a place.

    Parameters
    ----------
    record
        From `analysis.settlement_form.form_record`.
    worn
        Of its blocks, in their order.
    isolated
        Blocks that no street leads to.
    layers
        Names of the layers of streets and of buildings.
    """
    lang = language()
    rows = [
        _block_view(row, mark, row["block"] in isolated, place, lang)
        for place, (row, mark) in enumerate(zip(record["by_block"], worn, strict=True), start=1)
    ]
    notices = []
    if isolated:
        notices.append(
            ngettext(
                "No street leads to %(n)s of the blocks: paths inside cannot help there, a street to it has to come first.",
                "No street leads to %(n)s of the blocks: paths inside cannot help there, streets to them have to come first.",
                len(isolated),
            )
            % {"n": formats.number(len(isolated), lang)}
        )
    if record["streets_not_connected_m"] >= 1:
        notices.append(
            _("%(length)s of streets are joined to no street that leads out of the place, and give no access.")
            % {"length": formats.distance(record["streets_not_connected_m"], lang)}
        )
    if record["passages_under_6_m"]["unknown"] > 0:
        notices.append(
            _("The width of %(length)s of streets is not known; they are taken to give access.")
            % {"length": formats.distance(record["passages_under_6_m"]["unknown"], lang)}
        )
    return FormView(
        finding=_finding(record, name, asked, lang),
        basis=_basis(record, layers, lang),
        figures=_figures(record, worn, lang),
        blocks=tuple(rows[:FIRST_BLOCKS]),
        more=tuple(rows[FIRST_BLOCKS:]),
        layers=_layers(record, lang),
        notices=tuple(notices),
    )


def which_street(asked: Asked, lang: str) -> str:
    """Say what does not reach a home without access, as it stands inside a sentence."""
    if asked.question.narrowest_m <= 0:
        return _("no street")
    metres = f"{asked.question.narrowest_m:g}"
    return _("no street at least %(m)s m wide") % {"m": _decimal(metres, lang)}


def _decimal(text: str, lang: str) -> str:
    return formats.digits(text, lang).replace(".", "٫") if lang == "fa" else text


def _finding(record: Mapping[str, Any], name: str, asked: Asked, lang: str) -> str:
    without, homes, deepest = record["homes_without_access"], record["buildings"], record["k"]
    values = {
        "place": formats.isolated(name, lang), "n": formats.number(without, lang), "all": formats.number(homes, lang),
        "street": which_street(asked, lang),
    }  # fmt: skip
    if not without:
        return _("In %(place)s every home stands on a street that gives access.") % values
    first = (
        ngettext(
            "In %(place)s %(n)s of %(all)s homes stands on %(street)s",
            "In %(place)s %(n)s of %(all)s homes stand on %(street)s",
            without,
        )
        % values
    )
    behind = max(deepest - 1, 1)
    rest = ngettext(
        "the deepest lies behind one other plot.", "the deepest lies behind %(n)s other plots.", behind
    ) % {"n": formats.number(behind, lang)}  # fmt: skip
    return _("%(first)s; %(rest)s") % {"first": first, "rest": rest}


def _basis(record: Mapping[str, Any], layers: Mapping[str, str], lang: str) -> str:
    inputs = record["inputs"]
    blocks = ngettext("%(n)s block with homes", "%(n)s blocks with homes", record["blocks"]) % {
        "n": formats.number(record["blocks"], lang)
    }
    releases = [
        _("%(layer)s, release %(n)s") % {"layer": layers[name], "n": formats.number(inputs[name]["release"], lang)}
        for name in ("streets", "buildings")
    ]
    return " · ".join((blocks, *releases))


def _figures(record: Mapping[str, Any], worn: Sequence[Worn], lang: str) -> tuple[tuple[str, str], ...]:
    share = record["homes_without_access"] / record["buildings"]
    return (
        (_("of homes without access"), formats.percent(share, lang)),
        (_("layers of plots in the deepest block (k)"), formats.number(record["k"], lang)),
        (_("of the length of passages under 6 m"), formats.percent(record["passages_under_6_m"]["share"], lang)),
        (_("of plots under 200 m²"), formats.percent(record["plots_under_200_m2"]["share"], lang)),
        (
            _("blocks with the marks of worn fabric, of %(n)s") % {"n": formats.number(len(worn), lang)},
            formats.number(sum(one.is_worn is True for one in worn), lang),
        ),
    )


def _layers(record: Mapping[str, Any], lang: str) -> tuple[tuple[str, str, str], ...]:
    """Return the key of the map: class, words, homes."""
    homes = list(record["homes_by_layer"])
    deep = [*homes[:4], sum(homes[4:])] if len(homes) > 4 else homes
    words = (
        _("on a street that gives access"),
        _("behind one other plot"),
        _("behind two"),
        _("behind three"),
        _("behind four or more"),
    )
    return tuple((f"l{i}", words[i - 1], formats.number(n, lang)) for i, n in enumerate(deep, start=1))


def _block_view(row: Mapping[str, Any], worn: Worn, is_isolated: bool, place: int, lang: str) -> BlockView:
    k = int(row["k"])
    return BlockView(
        number=row["block"],
        number_text=formats.number(place, lang),
        css=f"l{min(max(k, 1), 5)}",
        lon=row["lon"],
        lat=row["lat"],
        homes_text=formats.number(row["homes"], lang),
        without_text=formats.number(row["homes_without_access"], lang),
        k_text=formats.number(k, lang) if k else formats.DASH,
        narrow_text=formats.percent(row["passages_under_6_m"], lang),
        small_text=formats.percent(row["plots_under_200_m2"], lang),
        worn_text=_worn_text(worn, lang),
        is_isolated=is_isolated,
    )


def _worn_text(worn: Worn, lang: str) -> str:
    values = {"met": formats.number(worn.met, lang), "known": formats.number(worn.known, lang)}
    marks = _("%(met)s of %(known)s known") % values
    word = _("depends on what is not known") if worn.is_worn is None else _("yes") if worn.is_worn else _("no")
    return _("%(word)s (%(marks)s)") % {"word": word, "marks": marks}


# ---- the places of a city


def kind_choices(kind: str) -> tuple[Choice, ...]:
    """Present the kinds of places that can be looked at."""
    words = (("settlement", _("informal settlements")), ("neighbourhood", _("neighbourhoods")), ("", _("all places")))
    return tuple(Choice(code, word, code == kind) for code, word in words)


def city_view(
    places: Sequence[PlaceRow],
    records: Mapping[str, Mapping[str, Any]],
    worn: Mapping[str, Worn],
    asked: Asked,
    kind: str,
) -> CityView:
    """Present the places of a city, those with the largest share of homes without access first; those not measured come last."""
    lang = language()
    measured = [place for place in places if place.code in records]
    measured.sort(
        key=lambda place: (-_share_of(records[place.code]), -records[place.code]["homes_without_access"], place.code)
    )
    rows = [_place_view(place, records[place.code], worn[place.code], lang) for place in measured]
    waiting = [place for place in places if place.code not in records]
    rows += [_waiting_view(place) for place in waiting]
    progress = _("%(n)s of %(all)s places are measured.") % {
        "n": formats.number(len(measured), lang),
        "all": formats.number(len(places), lang),
    }
    return CityView(
        finding=_city_finding(measured, records, asked, lang),
        basis=progress,
        rows=tuple(rows),
        waiting=tuple(place.code for place in waiting),
        fills={row.code: row.css for row in rows},
        key=_city_key(bool(waiting), lang),
        progress=progress,
    )


BOUNDS: Final = (0.1, 0.3, 0.5, 0.6)


def _share_css(share: float) -> str:
    return f"a{sum(share >= bound for bound in BOUNDS)}"


def _city_key(is_waiting: bool, lang: str) -> tuple[tuple[str, str], ...]:
    edges = [formats.percent(bound, lang) for bound in BOUNDS]
    words = [_("under %(high)s") % {"high": edges[0]}]
    words += [_("%(low)s to %(high)s") % {"low": low, "high": high} for low, high in pairwise(edges)]
    words.append(_("%(low)s and more") % {"low": edges[-1]})
    found = [(f"a{i}", word) for i, word in enumerate(words)]
    return tuple([*found, ("c-none", _("not measured"))] if is_waiting else found)


def _share_of(record: Mapping[str, Any]) -> float:
    return float(record["homes_without_access"] / record["buildings"])


def _city_finding(
    measured: Sequence[PlaceRow], records: Mapping[str, Mapping[str, Any]], asked: Asked, lang: str
) -> str:
    if not measured:
        return _("Nothing has been measured here yet.")
    without = sum(records[place.code]["homes_without_access"] for place in measured)
    homes = sum(records[place.code]["buildings"] for place in measured)
    first = ngettext(
        "%(n)s of %(all)s homes stands on %(street)s", "%(n)s of %(all)s homes stand on %(street)s", without
    ) % {"n": formats.number(without, lang), "all": formats.number(homes, lang), "street": which_street(asked, lang)}
    if not without:
        return _("Every home of the places measured stands on a street that gives access.")
    worst = measured[0]
    rest = _("most of all in %(place)s: %(share)s.") % {
        "place": formats.isolated(worst.name, lang),
        "share": formats.percent(_share_of(records[worst.code]), lang),
    }
    return _("%(first)s; %(rest)s") % {"first": first, "rest": rest}


def _waiting_view(place: PlaceRow) -> PlaceView:
    """Present a place that was not measured yet."""
    nothing = formats.DASH
    return PlaceView(
        code=place.code, name=place.name, is_settlement=place.kind == "settlement", is_measured=False, homes_text=nothing,
        without_text=nothing, share_text=nothing, bar=0.0, k_text=nothing, narrow_text=nothing, small_text=nothing,
        worn_text=nothing, css="c-none",
    )  # fmt: skip


def _place_view(place: PlaceRow, record: Mapping[str, Any], worn: Worn, lang: str) -> PlaceView:
    share = _share_of(record)
    return PlaceView(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == "settlement",
        is_measured=True,
        homes_text=formats.number(record["buildings"], lang),
        without_text=formats.number(record["homes_without_access"], lang),
        share_text=formats.percent(share, lang),
        bar=100 * share,
        k_text=formats.number(record["k"], lang),
        narrow_text=formats.percent(record["passages_under_6_m"]["share"], lang),
        small_text=formats.percent(record["plots_under_200_m2"]["share"], lang),
        worn_text=_worn_text(worn, lang),
        css=_share_css(share),
    )


# ---- paths


def alternatives_view(
    result: Mapping[str, Any], record: Mapping[str, Any], cost_per_m: float
) -> tuple[AlternativeView, ...]:
    """Present the alternatives side by side.

    Parameters
    ----------
    result
        Of the run of alternatives.
    record
        Of the form of the place.
    """
    lang = language()
    return tuple(_alternative_view(one, record, cost_per_m, lang) for one in result["alternatives"])


def _alternative_view(
    one: Mapping[str, Any], record: Mapping[str, Any], cost_per_m: float, lang: str
) -> AlternativeView:
    name, means = GOAL_WORDS[one["goal"]]
    notes = []
    if one["gap"] is not None:
        notes.append(
            _("At most %(share)s longer than the shortest there can be.") % {"share": formats.percent(one["gap"], lang)}
        )
    if one["detour"] is not None:
        notes.append(
            _("The largest detour left is %(n)s times the straight line.")
            % {"n": formats.number(one["detour"], lang, 1)}
        )
    if one["unreachable_plots"]:
        notes.append(
            ngettext("%(n)s plot cannot be reached.", "%(n)s plots cannot be reached.", one["unreachable_plots"])
            % {"n": formats.number(one["unreachable_plots"], lang)}
        )
    before, after = record["homes_without_access"], one["homes_without_access_after"]
    return AlternativeView(
        goal=one["goal"],
        name=str(name),
        means=str(means),
        length_text=_("%(n)s m") % {"n": formats.number(one["length_m"], lang)},
        cost_text=money(one["cost"], lang) if cost_per_m > 0 else formats.DASH,
        touched_text=formats.number(one["homes_touched"], lang),
        served_text=formats.number(before - after, lang),
        left_text=formats.number(after, lang),
        k_text=_("%(before)s → %(after)s")
        % {"before": formats.number(record["k"], lang), "after": formats.number(one["k_after"], lang)},
        note=" ".join(notes),
        pieces=" ".join(one["pieces"]),
    )


def plan_view(run: Run, opened: int) -> PlanView:
    """Present a plan in the list."""
    lang = language()
    result = run.result
    return PlanView(
        number=run.pk,
        name=run.parameters["name"],
        note=run.parameters["note"],
        who=run.author.get_username() if run.author else "",
        when=formats.day(run.created_at, lang),
        length_text=_("%(n)s m") % {"n": formats.number(result["length_m"], lang)},
        touched_text=formats.number(result["homes_touched"], lang),
        left_text=formats.number(result["homes_without_access_after"], lang),
        k_text=formats.number(result["k_after"], lang),
        is_open=run.pk == opened,
    )


def plan_effect(run: Run) -> str:
    """Say what a plan would do, as a proposal tells it."""
    lang, result = language(), run.result
    gained = result["homes_without_access_before"] - result["homes_without_access_after"]
    return _(
        "%(length)s of new paths along the borders of plots: %(gained)s homes gain access, %(left)s stay without, "
        "%(touched)s stand within half the width of a path."
    ) % {
        "length": _("%(n)s m") % {"n": formats.number(result["length_m"], lang)},
        "gained": formats.number(gained, lang),
        "left": formats.number(result["homes_without_access_after"], lang),
        "touched": formats.number(result["homes_touched"], lang),
    }


__all__ = [
    "AlternativeView", "BlockView", "CityView", "FormView", "PlaceView", "PlanView", "alternatives_view", "choices_view",
    "city_view", "form_view", "kind_choices", "plan_effect", "plan_view", "which_street",
]  # fmt: skip
