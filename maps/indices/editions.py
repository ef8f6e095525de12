"""A published index as its page tells it: what is new since the edition before, and earlier dates. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.indices.documents import Document
from interventions.core.years import year_of
from maps.indices.choices import method_labels, method_words
from maps.indices.presenters import decimals_of, named
from maps.outcomes.wording import year_text
from maps.pages import formats
from maps.pages.reader import language

MOST_NAMES: Final = 12
"""Of more places than this, only the lines that stand out have a name beside them."""
MOST_LINES: Final = 3
"""Places whose lines stand out in the chart of earlier dates; the others are thin."""
LEFT, TOP, RIGHT, BOTTOM = 44.0, 16.0, 460.0, 250.0
APART: Final = 17.0
"""Least distance of two names beside the lines."""


@dataclass(frozen=True, slots=True)
class MoveView:
    """A place whose rank is another than in the edition before."""

    code: str
    name: str
    before: str
    now: str
    mark: str
    css: str


@dataclass(frozen=True, slots=True)
class SinceView:
    """What differs from the edition before."""

    number: int
    sentence: str
    moves: tuple[MoveView, ...]
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """The scores of a place over the dates: its line, and its name at the end of it; ``label_y`` is None where it has none."""

    name: str
    d: str
    dots: tuple[tuple[float, float], ...]
    css: str
    x: float
    y: float
    label_y: float | None


@dataclass(frozen=True, slots=True)
class YearsView:
    """Ranks and scores by the values of earlier dates."""

    sentence: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    lines: tuple[LineView, ...]
    ticks: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MethodView:
    """A choice of method, as it was frozen."""

    label: str
    value: str
    sentence: str


def since_view(document: Document) -> SinceView | None:
    """Present what differs from the edition before; None where there was none."""
    since = document.get("since")
    if not since:
        return None
    lang = language()
    moves = []
    for place in document["places"]:
        before, now = since["ranks"].get(place["code"]), int(place["rank"])
        if before == now:
            continue
        rose = before is None or now < before
        moves.append(
            MoveView(
                place["code"],
                named(place),
                formats.number(before, lang) if before is not None else _("new"),
                formats.number(now, lang),
                "▲" if rose else "▼",
                "rose" if rose else "fell",
            )
        )
    gone = [
        MoveView(one["code"], named(one), formats.number(one["rank"], lang), formats.DASH, "–", "gone")
        for one in since["gone"]
    ]
    return SinceView(
        int(since["number"]),
        _since_sentence(document, since, lang),
        (*moves, *gone),
        tuple(_since_methods(document, since, lang)),
    )


def _since_sentence(document: Document, since: Mapping[str, Any], lang: str) -> str:
    both = [
        (named(place), before, int(place["rank"]))
        for place in document["places"]
        if (before := since["ranks"].get(place["code"])) is not None
    ]
    rose = sorted((one for one in both if one[2] < one[1]), key=lambda one: one[2] - one[1])
    fell = sorted((one for one in both if one[2] > one[1]), key=lambda one: one[1] - one[2])
    if not rose and not fell:
        return _("Every place has the rank it had.")

    def told(rows: Sequence[tuple[str, int, int]]) -> str:
        return formats.listing(
            [
                _("%(name)s (from %(before)s to %(now)s)")
                % {
                    "name": formats.isolated(name, lang),
                    "before": formats.number(before, lang),
                    "now": formats.number(now, lang),
                }
                for name, before, now in rows[:3]
            ],
            lang,
        )

    parts = []
    if rose:
        parts.append(_("Moved up, towards more need: %(names)s.") % {"names": told(rose)})
    if fell:
        parts.append(_("Moved down: %(names)s.") % {"names": told(fell)})
    return " ".join(parts)


def _since_methods(document: Document, since: Mapping[str, Any], lang: str) -> Iterator[str]:
    labels = dict(method_labels())
    for name in since["methods"]:
        if name in labels:
            word, _sentence = method_words(name, str(document["method"][name]))
            yield _("%(label)s: now %(value)s") % {"label": labels[name], "value": word}
        elif name == "first":
            yield _("Chances are now told of the first %(n)s.") % {"n": formats.number(document["method"][name], lang)}
        elif name in ("vary_weights", "vary_methods"):
            yield _("What might be otherwise was chosen anew.")
        elif name == "until":
            yield _("Values of other years count.")
    shorts = {one["code"]: named(one, "short") for one in document["indicators"]}
    for text, names in (
        (_("New indicators: %(names)s."), [shorts[code] for code in since["added"]]),
        (_("No longer in it: %(names)s."), [named(one, "short") for one in since["left"]]),
        (_("Weighed otherwise: %(names)s."), [shorts[code] for code in since["weighed"]]),
    ):
        if names:
            yield text % {"names": formats.listing(names, lang)}


def methods_view(document: Document) -> tuple[MethodView, ...]:
    """Present the choices of method that were frozen."""
    return tuple(
        MethodView(label, *method_words(name, str(document["method"][name])))
        for name, label in method_labels()
    )  # fmt: skip


# ---- earlier dates


def years_view(document: Document) -> YearsView | None:
    """Present ranks and scores by the values of earlier dates; None where there are none."""
    years = document.get("years")
    if not years:
        return None
    lang, places = language(), document["places"]
    days = [(date.fromisoformat(one["day"]), bool(one["is_before"])) for one in years["dates"]]
    told = years["places"]
    decimals = decimals_of(document)
    scores = [score for one in told.values() for score in one["scores"] if score is not None]
    low, high = _scale(scores)
    xs = [LEFT + (RIGHT - LEFT) * at / max(len(days) - 1, 1) for at in range(len(days))]

    def y_of(score: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (score - low) / (high - low)

    lines = []
    for at, place in enumerate(places):
        points = [
            (xs[n], y_of(score)) for n, score in enumerate(told[place["code"]]["scores"]) if score is not None
        ]  # fmt: skip
        if points:
            lines.append(
                LineView(
                    named(place),
                    "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points),
                    tuple((round(x, 1), round(y, 1)) for x, y in points),
                    f"line-{at + 1}" if at < MOST_LINES else "line-other",
                    round(points[-1][0], 1),
                    round(points[-1][1], 1),
                    points[-1][1],
                )
            )
    step = (high - low) / 4
    return YearsView(
        sentence=_years_sentence(document, years, lang),
        heads=tuple(_date_text(day, is_before) for day, is_before in days),
        rows=tuple(
            (
                place["code"],
                named(place),
                tuple(
                    (formats.number(rank, lang), formats.number(score, lang, decimals))
                    for rank, score in zip(told[place["code"]]["ranks"], told[place["code"]]["scores"], strict=True)
                ),
            )
            for place in places
        ),
        lines=tuple(_apart(lines)),
        ticks=tuple((round(y_of(low + step * n), 1), formats.number(low + step * n, lang)) for n in range(5)),
        columns=tuple(
            (round(x, 1), _date_text(day, is_before), "start" if not at else "end" if x == xs[-1] else "middle")
            for at, (x, (day, is_before)) in enumerate(zip(xs, days, strict=True))
        ),
        notes=tuple(_years_notes(document, years, lang)),
    )


def _scale(scores: Sequence[float]) -> tuple[float, float]:
    """Return whole tens around all scores, four steps apart."""
    low, high = min(scores, default=0.0), max(scores, default=100.0)
    bottom = int(low // 10) * 10
    step = 5
    while bottom + 4 * step < high:
        step += 5
    return float(bottom), float(bottom + 4 * step)


def _apart(lines: Sequence[LineView]) -> Iterator[LineView]:
    """Move names so that none lies over another; of many lines the lesser ones have none."""
    last = TOP - APART
    for line in sorted(lines, key=lambda one: one.y):
        if len(lines) > MOST_NAMES and line.css == "line-other":
            yield replace(line, label_y=None)
        else:
            last = max(line.y, last + APART)
            yield replace(line, label_y=round(last, 1))


def _date_text(day: date, is_before: bool) -> str:
    year = year_text(year_of(day))
    return _("before %(year)s") % {"year": year} if is_before else _("in %(year)s") % {"year": year}


def _years_sentence(document: Document, years: Mapping[str, Any], lang: str) -> str:
    told = years["places"]
    changed = [
        (named(place), last - first)
        for place in document["places"]
        if (first := told[place["code"]]["scores"][0]) is not None
        and (last := told[place["code"]]["scores"][-1]) is not None
    ]
    first_date, last_date = (years["dates"][at] for at in (0, -1))
    values = {
        "first": _date_text(date.fromisoformat(first_date["day"]), bool(first_date["is_before"])),
        "last": _date_text(date.fromisoformat(last_date["day"]), bool(last_date["is_before"])),
    }
    better = sum(change < 0 for _name, change in changed)
    worse = sum(change > 0 for _name, change in changed)
    if not better and not worse:
        return _("By the same method, no score changed (%(first)s, %(last)s).") % values
    return _(
        "By the same method, %(better)s places had less need at last than at first, and %(worse)s more (%(first)s, %(last)s)."
    ) % {**values, "better": formats.number(better, lang), "worse": formats.number(worse, lang)}  # fmt: skip


def _years_notes(document: Document, years: Mapping[str, Any], lang: str) -> Iterator[str]:
    shorts = {one["code"]: named(one, "short") for one in document["indicators"]}
    if years["of_today"]:
        n = len(years["of_today"])
        yield _("Only what people brought is of each date: %(stored)s.") % {
            "stored": formats.listing([shorts[code] for code in years["stored"] if code in shorts], lang)
        }
        yield ngettext(
            "%(n)s indicator that is computed, boundaries and people are of the day of publication at every date.",
            "%(n)s indicators that are computed, boundaries and people are of the day of publication at every date.",
            n,
        ) % {"n": formats.number(n, lang)}
    if document["method"]["normalisation"] == "goalpost":
        yield _(
            "Goalposts are the same at every date, so scores can be compared. A difference within the errors says nothing."
        )
    else:
        yield _("Scores say where a place stood among the places of that date; they cannot be compared over the dates.")
    if min(years["known"]) < years["most"]:
        yield _("Of %(most)s values that people bring, at least %(least)s were there at each date.") % {
            "most": formats.number(years["most"], lang),
            "least": formats.number(min(years["known"]), lang),
        }


__all__ = ["MethodView", "SinceView", "YearsView", "methods_view", "since_view", "years_view"]
