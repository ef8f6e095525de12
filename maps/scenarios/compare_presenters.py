"""What the page of a comparison says: scenarios side by side as a sentence, maps of what differs, and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray

from analysis.comparing import CityComparison
from geo.errors import InvalidInput
from maps.pages import formats
from maps.pages.figures import SETTLEMENT
from maps.pages.reader import language, word
from maps.scenarios.page_presenters import LegendRow, change_class, change_css, change_legend

PRIORITY: Final = "priority"
_MOST_ROWS: Final = 25


@dataclass(frozen=True, slots=True)
class SideView:
    """One side: its name, where it is opened, and how it differs from the first one."""

    name: str
    scenario: int | None
    letter: str
    travel: str
    sentence: str
    fills: dict[str, str]
    legend: tuple[LegendRow, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of one side, and how it is marked."""

    text: str
    css: str = ""
    note: str = ""
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A place or a service with its numbers, one per side."""

    code: str
    name: str
    is_settlement: bool
    is_chosen: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class CompareView:
    """Everything the page shows."""

    finding: str
    measure: str
    show: str
    choices: tuple[tuple[str, str, bool], ...]
    sides: tuple[SideView, ...]
    totals: tuple[Row, ...]
    rows: tuple[Row, ...]
    rows_more: int
    unchanged: str
    warnings: tuple[str, ...]


def chosen_of(show: str, found: CityComparison) -> int | None:
    """Return which service is shown, None for the priority; where nothing is said, the one that differs for most people.

    Raises
    ------
    InvalidInput
        Where there is no such service on all sides.
    """
    codes = [rows[0].code for rows in found.services]
    if not show:
        differs = np.abs(found.values.fewer_uncovered).sum(axis=(0, 1))
        return int(np.argmax(differs))
    if show == PRIORITY:
        return None
    if show in codes:
        return codes.index(show)
    raise InvalidInput(
        f"{show[:40]!r} cannot be shown.",
        code="bad_show",
        where="show",
        remedy=f"Choose one of: {', '.join([PRIORITY, *codes])}.",
        details={"value": show[:40], "choices": [PRIORITY, *codes]},
    )


def compare_view(found: CityComparison, column: int | None, *, is_whole: bool) -> CompareView:
    """Present a comparison by one service, or by the priority (``column`` None).

    Parameters
    ----------
    is_whole
        With all places; else with those that differ most.
    """
    lang, values = language(), found.values
    better = _better(found, column)
    names = [side.scenario.name if side.scenario else _("Today") for side in found.sides]
    sides = []
    for n, side in enumerate(found.sides):
        indices = [change_class(value) for value in better[n].tolist()]
        sides.append(
            SideView(
                name=names[n],
                scenario=side.scenario.pk if side.scenario else None,
                letter=formats.digits(n + 1, lang),
                travel=side.result.coverage.travel.name,
                sentence="" if n == 0 else _sentence(found, n, column),
                fills={place.code: change_css(i) for place, i in zip(found.places, indices, strict=True)},
                legend=() if n == 0 else change_legend(side.result, indices),
            )
        )
    differs = _differs(found, column)
    order = [int(i) for i in np.argsort(-differs, kind="stable") if differs[i] > 0]
    shown = order if is_whole else order[:_MOST_ROWS]
    same = len(found.places) - len(order)
    return CompareView(
        finding=_finding(found, column, names),
        measure=_("priority points of 100") if column is None else _("people without it"),
        show=PRIORITY if column is None else found.services[column][0].code,
        choices=(
            *((rows[0].code, rows[0].name, k == column) for k, rows in enumerate(found.services)),
            (PRIORITY, _("Priority"), column is None),
        ),
        sides=tuple(sides),
        totals=tuple(
            Row(
                rows[0].code,
                rows[0].name,
                False,
                k == column,
                tuple(
                    _people(
                        values.total_uncovered[n, k], values.total_uncovered[0, k] - values.total_uncovered[n, k], n
                    )
                    for n in range(len(found.sides))
                ),
            )
            for k, rows in enumerate(found.services)
        ),
        rows=tuple(_place(found, i, column, better) for i in shown),
        rows_more=len(order) - len(shown),
        unchanged=ngettext("%(n)s place is the same on all sides.", "%(n)s places are the same on all sides.", same)
        % {"n": formats.number(same, lang)}
        if same
        else "",
        warnings=found.warnings,
    )


def _better(found: CityComparison, column: int | None) -> NDArray[np.float64]:
    """Return for each side and place by how many points it is better than on the first: of the score, or per cent of people."""
    if column is None:
        return np.asarray(found.values.score[:1] - found.values.score)
    share = found.values.population_share[:, :, column]
    return np.asarray((share - share[:1]) * 100)


def _differs(found: CityComparison, column: int | None) -> NDArray[np.float64]:
    """Return by how much each place differs at most; nothing where no reader would see it."""
    if column is None:
        largest = np.abs(found.values.score - found.values.score[:1]).max(axis=0)
        return np.where(largest >= 0.05, largest, 0.0)
    largest = np.abs(found.values.fewer_uncovered[:, :, column]).max(axis=0)
    return np.where(largest >= 0.5, largest, 0.0)


def _place(found: CityComparison, i: int, column: int | None, better: NDArray[np.float64]) -> Row:
    lang, values, place = language(), found.values, found.places[i]
    cells = []
    for n in range(len(found.sides)):
        rank = _("rank %(n)s") % {"n": formats.number(int(values.rank[n, i]), lang)}
        if column is None:
            change = better[n, i]
            text = formats.number(float(values.score[n, i]), lang, 1)
            note = "" if n == 0 else _signed(float(-change), lang, 1)
            cells.append(Cell(text, _mark(float(change), 0.05) if n else "", " · ".join(filter(None, (note, rank)))))
        else:
            people, fewer = float(values.uncovered_people[n, i, column]), float(values.fewer_uncovered[n, i, column])
            cell = _people(people, fewer, n)
            cells.append(Cell(cell.text, cell.css, " · ".join(filter(None, (cell.note, rank))), cell.is_same))
    return Row(place.code, place.name, place.kind == SETTLEMENT, False, tuple(cells))


def _people(people: float, fewer: float, side: int) -> Cell:
    lang = language()
    text = formats.number(round(people), lang)
    if side == 0 or round(fewer) == 0:
        return Cell(text, is_same=side > 0)
    return Cell(text, _mark(fewer, 0.5), _signed(round(-fewer), lang))


def _mark(better: float, least: float) -> str:
    return "is-better" if better >= least else "is-worse" if better <= -least else ""


def _signed(value: float, lang: str, decimals: int = 0) -> str:
    text = formats.number(value, lang, decimals)
    if not any(digit in "123456789۱۲۳۴۵۶۷۸۹" for digit in text):
        return _("the same")
    return "\u2066" + (f"+{text}" if value > 0 else text) + "\u2069"


def _finding(found: CityComparison, column: int | None, names: list[str]) -> str:
    """Say which side leaves the fewest people without the service; of the priority, how many places change rank."""
    lang, values = language(), found.values
    first = formats.isolated(names[0], lang)
    if column is None:
        moved = int((values.rank[1:] != values.rank[:1]).any(axis=0).sum())
        return ngettext(
            "%(n)s place has another rank of priority than on the first side.",
            "%(n)s places have another rank of priority than on the first side.",
            moved,
        ) % {"n": formats.number(moved, lang)}
    service = found.services[column][0]
    total = values.total_uncovered[:, column]
    best = int(np.argmin(total))
    words = {
        "name": formats.isolated(names[best], lang),
        "first": first,
        "service": word(service.name),
        "distance": formats.distance(service.threshold_m, lang)
        if len({row.threshold_m for row in found.services[column]}) == 1
        else _("its own limit"),
        "people": formats.number(round(float(total[best])), lang),
        "fewer": formats.number(round(float(total[0] - total[best])), lang),
    }
    if round(float(np.ptp(total))) == 0:
        return _("All sides leave %(people)s people without a %(service)s within %(distance)s.") % words
    if found.sides[best].scenario is None:
        return (
            _("No scenario leaves fewer people without a %(service)s within %(distance)s than today: %(people)s.")
            % words
        )
    text = _("“%(name)s” leaves the fewest people without a %(service)s within %(distance)s: %(people)s.") % words
    if best == 0:
        return text
    if found.sides[0].scenario is None:
        return text + " " + _("That is %(fewer)s fewer than today.") % words
    return text + " " + _("That is %(fewer)s fewer than with “%(first)s”.") % words


def _sentence(found: CityComparison, n: int, column: int | None) -> str:
    lang, values = language(), found.values
    if column is None:
        down = values.ranks_down[n]
        words = {"up": formats.number(int((down > 0).sum()), lang), "down": formats.number(int((down < 0).sum()), lang)}
        return _("%(down)s places become less needy, %(up)s more, by rank.") % words
    fewer = round(float(values.total_uncovered[0, column] - values.total_uncovered[n, column]))
    words = {"people": formats.number(abs(fewer), lang)}
    if fewer > 0:
        return _("%(people)s fewer people without it") % words
    return _("%(people)s more people without it") % words if fewer < 0 else _("as many people without it")
