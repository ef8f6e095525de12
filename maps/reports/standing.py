"""How a place stands in an index of priority, on paper: rank with its interval, where its points come from, what would move it.

Pure: rows of an index as they are kept (`analysis.indexing.index_rows`) in, frozen words out, so that an index that was
published and one that was just computed are told alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    rows: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any],
    code: str,
    *,
    basis: str,
    names: Mapping[str, str] | None = None,
    with_values: bool = True,
    why: str = "",
    moves: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> Standing | None:
    """Present how a place stands; None where it is not ranked.

    Parameters
    ----------
    rows, parameters
        Of an index, as `analysis.indexing.index_rows` and `analysis.indexing.index_parameters` give them.
    code
        Of the place.
    basis
        Which index it is, in words.
    names
        Short names of indicators by code, instead of those of the codebook.
    with_values
        Whether values of indicators are told beside the points.
    why, moves, beside
        Sentences of `Standing`.
    """
    row = next((each for each in rows if each["code"] == code), None)
    if row is None:
        return None
    lang, count = language(), len(rows)
    line = int(parameters["first"])
    rank, low, high = int(row["rank"]), int(row["rank_low"]), int(row["rank_high"])
    step = 100 / max(count, 2)
    parts = _parts(row, parameters, names or {}, lang, with_values=with_values)
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


def _parts(
    row: Mapping[str, Any],
    parameters: Mapping[str, Any],
    names: Mapping[str, str],
    lang: str,
    *,
    with_values: bool,
) -> tuple[StandingPart, ...]:
    # Of few people, what an indicator adds is not told to the public: None.
    points = {code: part for code, part in (row["contributions"] or {}).items() if part is not None}
    book = {one["code"]: one for one in parameters["indicators"]}
    told = [code for code in sorted(points, key=lambda code: (-points[code], code)) if points[code] >= _TOLD]
    longest = max((points[code] for code in told), default=1.0)
    return tuple(
        StandingPart(
            names.get(code) or book[code]["name_en" if lang == "en" else "name_fa"],
            value_text(book[code]["unit"], row["values"][code], lang) if with_values else "",
            formats.number(points[code], lang, 1),
            round(100 * points[code] / longest),
        )
        for code in told
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


__all__ = ["COLOURS", "MOST_PARTS", "Standing", "StandingPart", "basis_text", "standing_of"]
