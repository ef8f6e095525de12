"""What would move a place across the line, in words: smallest changes of weights and of one indicator. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.core.indicator_changes import IndicatorReason
from analysis.core.weight_changes import Reason, WeightChange
from analysis.indices.explanations import Explanation, Moves, ValueMove
from maps.pages import formats, measured
from maps.pages.reader import language, word
from maps.why.addresses import query_of
from maps.why.wording import kind_text, name_in_sentence, names_text, two_shares, two_values

_LEAST_SHARE: Final = 0.0005
"""Weights that move by less are told together."""

_HAIR: Final = 1e-4
"""Who moves by less weight than this stands on the edge between two orders."""

MOST_WEIGHTS: Final = 8
MOST_VALUES: Final = 8


@dataclass(frozen=True, slots=True)
class WeightRow:
    """A weight before and after; the bars are in per cent of the largest."""

    name: str
    before_text: str
    after_text: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class ValueRow:
    """What one indicator would have to be."""

    name: str
    now_text: str
    needed_text: str
    people_text: str
    rank_text: str


@dataclass(frozen=True, slots=True)
class MovesView:
    """The part of the page that is asked for by itself.

    Attributes
    ----------
    finding
        What would move the place, or that nothing would.
    query
        Of the builder with weights that move it; empty where there are none.
    """

    is_inside: bool
    finding: str
    weights: tuple[WeightRow, ...]
    rest: str
    proof: str
    instead: str
    query: str
    value_finding: str
    values: tuple[ValueRow, ...]
    values_rest: str


def moves_view(found: Explanation, moves: Moves) -> MovesView:
    """Present what would move a place."""
    lang = language()
    change = moves.weight.change
    rows = _weight_rows(found, change, lang)
    possible = [move for move in moves.values if move.change.needed is not None]
    return MovesView(
        is_inside=change.moves == "out",
        finding=weight_sentence(found, moves, lang),
        weights=rows[:MOST_WEIGHTS],
        rest=_rest(found, change, len(rows[:MOST_WEIGHTS]), lang) if rows else "",
        proof=_proof(change, lang),
        instead=_instead(found, moves, lang),
        query=_query(found, moves),
        value_finding=value_sentence(found, moves, lang),
        values=tuple(_value_row(found, move, lang) for move in possible[:MOST_VALUES]),
        values_rest=_values_rest(moves, len(possible), lang) if possible else "",
    )


def _query(found: Explanation, moves: Moves) -> str:
    if moves.weight.tried is None:
        return ""
    codes = [one.code for one in found.result.matrix.indicators]
    return query_of(found.result.question, dict(zip(codes, moves.weight.tried.tolist(), strict=True)))


# ---- weights


def weight_sentence(found: Explanation, moves: Moves, lang: str) -> str:
    """Say the smallest change of weights that moves a place across the line, or why none does."""
    change = moves.weight.change
    values = {
        "place": formats.isolated(found.result.matrix.places[found.place].name, lang),
        "n": formats.number(found.line, lang),
    }
    if change.weights is None or change.distance is None:
        return _no_weights(change.reason, is_inside=change.moves == "out") % values
    if change.distance < _HAIR:
        return (
            _("%(place)s stands on the edge: by this method the least change of a weight takes it across the line.")
            % values
        )
    named = [_if_counted(row) for row in _weight_rows(found, change, lang)[:2]]
    values["weights"] = formats.listing(named, lang)
    values["moved"] = two_shares(0.0, change.distance / 2, lang)[1]
    if change.moves == "in":
        return _("%(place)s would be among the first %(n)s if %(weights)s: %(moved)s of all weight is moved.") % values
    return _("%(place)s would not be among the first %(n)s if %(weights)s: %(moved)s of all weight is moved.") % values


def _if_counted(row: WeightRow) -> str:
    return _("“%(name)s” counted %(after)s instead of %(before)s") % {
        "name": row.name,
        "after": row.after_text,
        "before": row.before_text,
    }


def _no_weights(reason: Reason | None, *, is_inside: bool) -> str:
    if reason == "all-inside":
        return _("All places are among the first %(n)s: there is no line to cross.")
    if reason == "one-indicator":
        return _("There is only one indicator: its weight cannot be moved to another.")
    if reason == "whatever-the-weights":
        if is_inside:
            return _("Whatever the weights, %(place)s is among the first %(n)s: that is proven.")
        return _("Whatever the weights, %(place)s is not among the first %(n)s: that is proven.")
    if reason == "only-by-a-tie":
        return _("Weights could at most make %(place)s equal to others at the line, not take it across.")
    return _("No weights were found that take %(place)s across the line; that does not prove that there are none.")


def _weight_rows(found: Explanation, change: WeightChange, lang: str) -> tuple[WeightRow, ...]:
    if change.weights is None or change.distance is None or change.distance < _HAIR:
        return ()
    before, after = found.result.priority.weights, change.weights
    longest = max(float(before.max()), float(after.max()))
    order = sorted(range(len(before)), key=lambda k: (-round(abs(float(after[k] - before[k])), 9), k))
    rows = []
    for k in order:
        was, becomes = float(before[k]), float(after[k])
        if abs(becomes - was) < min(_LEAST_SHARE, change.distance / 10):
            continue
        texts = two_shares(was, becomes, lang)
        rows.append(
            WeightRow(
                name_in_sentence(found.result.matrix.indicators[k]),
                *texts,
                100 * was / longest,
                100 * becomes / longest,
            )
        )
    return tuple(rows)


def _rest(found: Explanation, change: WeightChange, shown: int, lang: str) -> str:
    if change.weights is None:
        return ""
    moved = int((abs(change.weights - found.result.priority.weights) > 1e-9).sum()) - shown
    if moved <= 0:
        return _("All other weights stay as they are.")
    return ngettext("%(n)s other weight changes a little, too.", "%(n)s other weights change a little, too.", moved) % {
        "n": formats.number(moved, lang)
    }


def _proof(change: WeightChange, lang: str) -> str:
    if change.weights is None:
        return ""
    if change.is_proven:
        return _("No smaller change of weights does it: that is proven.")
    if change.bound > 0 and change.distance:
        return _(
            "The smallest change that was found; it is proven that less than %(share)s of all weight is not enough."
        ) % {"share": two_shares(0.0, change.bound / 2, lang)[1]}
    return _(
        "The smallest change that was found; that no smaller one exists is not proven for this method and these data."
    )


def _instead(found: Explanation, moves: Moves, lang: str) -> str:
    rows = moves.weight.instead
    if not rows:
        return ""
    values = {"places": names_text(found.result, rows, lang), "n": formats.number(found.line, lang)}
    if moves.weight.change.moves == "in":
        return (
            ngettext(
                "%(places)s would then no longer be among the first %(n)s.",
                "%(places)s would then no longer be among the first %(n)s.",
                len(rows),
            )
            % values
        )
    return (
        ngettext(
            "%(places)s would then be among the first %(n)s.",
            "%(places)s would then be among the first %(n)s.",
            len(rows),
        )
        % values
    )


# ---- values


def value_sentence(found: Explanation, moves: Moves, lang: str) -> str:
    """Say the smallest change of one indicator that moves a place across the line, or why none does."""
    values = {
        "place": formats.isolated(found.result.matrix.places[found.place].name, lang),
        "n": formats.number(found.line, lang),
    }
    best = moves.values[0] if moves.values else None
    is_inside = moves.weight.change.moves == "out"
    if best is None or best.change.needed is None:
        reasons: set[IndicatorReason | None] = {move.change.reason for move in moves.values}
        if reasons == {"all-inside"}:
            return ""
        if is_inside:
            return _("No single indicator, however good, would take %(place)s out of the first %(n)s.") % values
        return _("No single indicator, however bad, would take %(place)s into the first %(n)s.") % values
    values["if"] = _if_value(found, best, lang)
    if is_inside:
        return _("%(place)s would leave the first %(n)s if %(if)s, and nothing else changed.") % values
    return _("%(place)s would be among the first %(n)s if %(if)s, and nothing else changed.") % values


def _if_value(found: Explanation, move: ValueMove, lang: str) -> str:
    one = found.result.matrix.indicators[move.change.indicator]
    service = found.services.get(one.code)
    before, after = move.change.value or 0.0, move.change.needed or 0.0
    if move.people is not None and service is not None:
        values = {
            "people": formats.number(math.ceil(move.people), lang),
            "distance": measured.limit_phrase(service, found.travel),
            "service": word(service.name),
        }
        if after < before:
            return _("%(people)s more people lived within %(distance)s of the nearest %(service)s") % values
        return _("%(people)s fewer people lived within %(distance)s of the nearest %(service)s") % values
    now, needed = two_values(one, before, after, lang)
    return _("“%(name)s” were %(needed)s instead of %(now)s") % {
        "name": name_in_sentence(one),
        "needed": needed,
        "now": now,
    }


def _value_row(found: Explanation, move: ValueMove, lang: str) -> ValueRow:
    one = found.result.matrix.indicators[move.change.indicator]
    now, needed = two_values(one, move.change.value or 0.0, move.change.needed or 0.0, lang)
    people = ""
    if move.people is not None:
        sign = "+" if (move.change.needed or 0.0) < (move.change.value or 0.0) else "−"
        people = f"{sign}{formats.number(math.ceil(move.people), lang)}"
    return ValueRow(
        one.short,
        kind_text(one, now),
        kind_text(one, needed),
        people,
        formats.number(move.change.rank_after, lang),
    )


def _values_rest(moves: Moves, possible: int, lang: str) -> str:
    rest = len(moves.values) - possible
    missing = sum(move.change.reason == "missing" for move in moves.values)
    told = []
    if possible > MOST_VALUES:
        more = possible - MOST_VALUES
        told.append(
            ngettext(
                "%(n)s more indicator could do it by a larger change.",
                "%(n)s more indicators could do it by a larger change.",
                more,
            )
            % {"n": formats.number(more, lang)}
        )
    if rest - missing > 0:
        told.append(
            ngettext(
                "%(n)s other could not, whatever its value.",
                "%(n)s others could not, whatever their value.",
                rest - missing,
            )
            % {"n": formats.number(rest - missing, lang)}
        )
    if missing:
        told.append(
            ngettext("%(n)s has no value here.", "%(n)s have no value here.", missing)
            % {"n": formats.number(missing, lang)}
        )
    return " ".join(told)


__all__ = ["MovesView", "ValueRow", "WeightRow", "moves_view", "value_sentence", "weight_sentence"]
