"""How a place stands in an index of priority, on paper: rank with its interval, where its points come from, what would move it.

Pure: rows of an index as they are kept (`analysis.indices.computing.index_rows`) in, frozen words out, so that an index that was
published and one that was just computed are told alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from maps.pages import formats
from maps.pages.reader import language
from maps.why.presenters import interval_text, message_text, standing_text
from maps.why.wording import value_text

MOST_PARTS: Final = 8
"""Indicators whose points are printed; the rest are told together."""

_TOLD: Final = 0.05

COLOURS: Final[Mapping[str, str]] = {
    "robustly-worst": "#7a0f4d",
    "depends-on-choices": "#d98bb8",
    "robustly-fine": "#b9a3b0",
    "no-data": "#b4bbc4",
}


@dataclass(frozen=True, slots=True)
class StandingPart:
    """What one indicator adds; the bar is in per cent of the longest."""

    name: str
    value_text: str
    points_text: str
    bar: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a place stands in an index.

    Attributes
    ----------
    basis
        Which index it is.
    low, width, mark, line
        Of the bar of ranks, in per cent of its width from the first rank to the last.
    why, moves, beside
        Sentences on what its points come from, on what would take it across the line, and on who stands beside it.
    """

    finding: str
    basis: str
    message: str
    colour: str
    rank_text: str
    of_text: str
    line_text: str
    interval_text: str
    chance_text: str
    score_text: str
    low: float
    width: float
    mark: float
    line: float
    parts: tuple[StandingPart, ...]
    parts_rest: str
    why: str
    moves: tuple[str, ...]
    beside: tuple[str, ...]


def standing_of(
    document: Mapping[str, Any],
    code: str,
    *,
    basis: str,
    why: str = "",
    moves: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> Standing | None:
    """Present how a place stands; None where it is not ranked.

    Parameters
    ----------
    document
        An index: ``places`` as `analysis.indices.computing.index_rows` gives them, where what is withheld is None; ``indicators``, their
        codebook, with short names where it has them; ``method``, with where the line is.
    code
        Of the place.
    basis
        Which index it is, in words.
    why, moves, beside
        Sentences of `Standing`.
    """
    rows = document["places"]
    row = next((each for each in rows if each["code"] == code), None)
    if row is None:
        return None
    lang, count = language(), len(rows)
    line = min(int(document["method"]["first"]), count)
    rank, low, high = int(row["rank"]), int(row["rank_low"]), int(row["rank_high"])
    step = 100 / max(count, 2)
    parts = _parts(row, document["indicators"], lang)
    return Standing(
        finding=standing_text(
            name=row["name_en"] if lang == "en" else row["name_fa"],
            rank=rank, count=count, low=low, high=high, line=line, message=row["message"],
        ),
        basis=basis,
        message=message_text(row["message"], line, lang),
        colour=COLOURS[row["message"]],
        rank_text=formats.number(rank, lang),
        of_text=formats.number(count, lang),
        line_text=formats.number(line, lang),
        interval_text=interval_text(low, high, lang),
        chance_text=formats.percent(float(row["chance_first"]), lang),
        score_text=formats.number(float(row["score"]), lang, 1),
        low=round((low - 1) * step, 2),
        width=round((high - low + 1) * step, 2),
        mark=round((rank - 0.5) * step, 2),
        line=round(min(line * step, 100.0), 2),
        parts=parts[:MOST_PARTS],
        parts_rest=_rest(parts[MOST_PARTS:], lang),
        why=why,
        moves=tuple(moves),
        beside=tuple(beside),
    )  # fmt: skip


def _parts(row: Mapping[str, Any], indicators: Sequence[Mapping[str, Any]], lang: str) -> tuple[StandingPart, ...]:
    points = {code: part for code, part in (row["contributions"] or {}).items() if part is not None and part >= _TOLD}
    book = {one["code"]: one for one in indicators}
    longest = max(points.values(), default=1.0)
    return tuple(
        StandingPart(
            book[code].get(f"short_{lang}") or book[code][f"name_{lang}"],
            value_text(book[code]["unit"], row["values"][code], lang),
            formats.number(points[code], lang, 1),
            round(100 * points[code] / longest),
        )
        for code in sorted(points, key=lambda code: (-points[code], code))
    )


def _rest(parts: Sequence[StandingPart], lang: str) -> str:
    if not parts:
        return ""
    return ngettext("%(n)s more indicator adds points, too.", "%(n)s more indicators add points, too.", len(parts)) % {
        "n": formats.number(len(parts), lang)
    }


def basis_text(count: int, is_equal: bool) -> str:
    """Say which index it is where none was published: computed today, of so many indicators."""
    said = ngettext("Index of today, of %(n)s indicator", "Index of today, of %(n)s indicators", count) % {
        "n": formats.number(count, language())
    }
    return (
        _("%(index)s that all weigh the same; places of its kind among themselves.") % {"index": said}
        if is_equal
        else said
    )


def edition_text(number: int, published_on: date, title: str) -> str:
    """Say which published index it is."""
    lang = language()
    return _("Published index %(number)s of %(day)s: %(title)s") % {
        "number": formats.number(number, lang),
        "day": formats.day(published_on, lang),
        "title": title,
    }


__all__ = ["COLOURS", "MOST_PARTS", "Standing", "StandingPart", "basis_text", "edition_text", "standing_of"]
