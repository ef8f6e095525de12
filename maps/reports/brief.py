"""A place on two sheets of A4: what is presented of it, as a page for the printer, and as a PDF.

`brief_of` is pure: results and presented parts in, frozen words and numbers out, all of them already told as the reader
may be told. `brief_html` writes the page, `brief_pdf` prints it. The printer (WeasyPrint) fetches nothing: its fetcher
knows two font files and refuses every other address. Labels of pictures are HTML set upon the drawings, because the
printer sets the text of drawings letter by letter, which would tear Persian words apart.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from unicodedata import bidirectional

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.results import CityPriority
from geo.errors import MahallehError, NotFound
from interventions.selectors import SectorSummary
from interventions.selectors.actions import ActionRow
from maps.pages import classes, figures, formats, legend, measured, outlines, telling
from maps.pages.outlines import Drawing, Outline
from maps.pages.place_presenters import PLOT, BoundaryFacts, Curve, PlaceView, Reason
from maps.pages.reader import language
from maps.reports.doing import ActionLine, action_lines, actions_rest
from maps.reports.standing import Standing

if TYPE_CHECKING:
    from weasyprint import Document  # type: ignore[import-untyped]

logger = logging.getLogger("mahalleh.reports")

MAX_REASONS: Final = 20
"""Services that are written out; the rest are told together, so that any place fits two pages."""
MAX_SOURCES: Final = 16
"""Distinct sources that are listed; rows with a further one carry no number, and the list says where it is."""
MAX_SOURCE: Final = 140
"""Letters of a source that are printed; the page of the place has it in full."""
DENSE: Final = 26
"""With more lines of sources, needs and actions the second sheet is set in smaller type."""
MAP_MM: Final = (72.0, 47.0)
"""The largest width and height of the locator map on paper."""
LEGEND_MM: Final = 54.0
"""The width its legend needs."""
RING: Final = 90.0
"""Places drawn smaller than this radius, in the drawing's units, get a ring around them to be found by."""
CHART: Final = (720.0, 266.0)
"""Width and height of the chart that `PLOT` lies in, without the name of its axis."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text upon a picture, at a point in per cent of its width and height."""

    left: float
    top: float
    text: str
    css: str


@dataclass(frozen=True, slots=True)
class LegendClass:
    """A colour of the map and the scores it stands for."""

    colour: str
    bounds: str


@dataclass(frozen=True, slots=True)
class Locator:
    """The city's places on a small map, coloured by priority, with one of them marked.

    Attributes
    ----------
    view_box : str
        Of the SVG, in the drawing's units.
    width_mm, height_mm : float
        On paper.
    column_mm : float
        Width of the column it stands in with its legend.
    fills : mapping
        Colour by place code; places without a value have none.
    here : Outline
        The marked place.
    ring : tuple of float or None
        x, y and radius of the ring around it where it is small.
    scale_mm : float
        Length of the scale bar on paper.
    """

    drawing: Drawing
    view_box: str
    width_mm: float
    height_mm: float
    column_mm: float
    fills: Mapping[str, str]
    here: Outline
    ring: tuple[float, float, float] | None
    scale_mm: float
    scale_text: str
    legend: tuple[LegendClass, ...]
    has_settlements: bool
    has_unvalued: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The distance–coverage curve with its labels taken off the drawing."""

    curve: Curve
    width: float
    height: float
    plot: tuple[float, float, float, float]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A source, numbered as the table refers to it, in the direction of its own script."""

    mark: str
    text: str
    direction: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A row of the table of contributions: the reason, and which sources its limit and its data have."""

    reason: Reason
    bar: int
    limit_mark: str
    data_mark: str


@dataclass(frozen=True, slots=True)
class NeedRow:
    """What is lacking in one sector: counts only."""

    sector: str
    needs: str
    confirmed: str
    people: str
    proposals: str


@dataclass(frozen=True, slots=True)
class Brief:
    """All that stands on the sheet, in the reader's language."""

    title: str
    headline: str
    context: str
    view: PlaceView
    locator: Locator
    chart: Chart | None
    reasons: tuple[ReasonRow, ...]
    more: str
    sources: tuple[Source, ...]
    has_unverified: bool
    has_more_sources: bool
    standing: Standing | None
    needs: tuple[NeedRow, ...]
    actions: tuple[ActionLine, ...]
    actions_rest: str
    boundary: BoundaryFacts | None
    boundary_direction: str
    method: tuple[str, ...]
    is_additive: bool
    is_insider: bool
    is_illustrative: bool
    is_changed: bool
    printed_on: date
    address: str

    @property
    def is_dense(self) -> bool:
        """Whether there is so much to say that the second sheet is set in smaller type."""
        return len(self.sources) + len(self.needs) + 2 * len(self.actions) > DENSE


def brief_of(
    result: CityPriority,
    standard: CityPriority,
    row: int,
    *,
    view: PlaceView,
    around: Sequence[str],
    drawing: Drawing,
    boundary: BoundaryFacts | None,
    needs: Sequence[SectorSummary],
    actions: Sequence[ActionRow],
    actions_in_all: int,
    standing: Standing | None,
    is_insider: bool,
    is_illustrative: bool,
    is_changed: bool,
    printed_on: date,
    address: str,
) -> Brief:
    """Present a place for paper.

    Parameters
    ----------
    result, standard : CityPriority
        Of its city: for the reader's question, and for the city's own limits and weights.
    row : int
        Which place of them.
    view : PlaceView
        What the place's page says.
    around : sequence of str
        Names of the places it lies in, the nearest first.
    drawing : Drawing
        Of the city's places.
    boundary : BoundaryFacts or None
        The edition the numbers were computed with.
    needs : sequence of SectorSummary
        As the reader may be told them.
    actions : sequence of ActionRow
        Those that are printed, of all that the reader may see: what matters most first.
    actions_in_all : int
        How many the reader may see.
    standing : Standing or None
        How it stands in an index, where the reader may be told.
    is_insider : bool
        Whether exact small counts are told; the sheet then says that it is not for publication.
    printed_on : date
        In the time zone of the service.
    address : str
        Of the place's page, where the same numbers are up to date.
    """
    lang = language()
    comma = "، " if lang == "fa" else ", "
    rows, sources = reason_rows(view.reasons)
    return Brief(
        title=comma.join([view.name, *around]),
        headline=_unparted(view.headline),
        context=comma.join(formats.isolated(name, lang) for name in around),
        view=view,
        locator=_locator(drawing, view.code, result, standard, is_insider),
        chart=_chart(view.curve) if view.curve else None,
        reasons=rows,
        more=_more(view.reasons[MAX_REASONS:]),
        sources=sources,
        has_unverified=not all(each.is_verified for each in sources),
        has_more_sources=len(sources) == MAX_SOURCES and any(not (each.limit_mark and each.data_mark) for each in rows),
        standing=standing,
        needs=tuple(need_row(each, lang) for each in needs),
        actions=action_lines(actions),
        actions_rest=actions_rest(actions_in_all),
        boundary=boundary,
        boundary_direction=_direction(boundary.source) if boundary else "",
        method=tuple(_method(result, view.reasons)),
        is_additive=(result.aggregation, result.normalisation) == ("arithmetic", "goalpost"),
        is_insider=is_insider,
        is_illustrative=is_illustrative,
        is_changed=is_changed,
        printed_on=printed_on,
        address=address,
    )


# ---- the table of contributions


def reason_rows(reasons: Sequence[Reason]) -> tuple[tuple[ReasonRow, ...], tuple[Source, ...]]:
    """Return the rows of the table, and each distinct source once, numbered in the order of their mention."""
    lang = language()
    numbers: dict[tuple[str, bool], str] = {}

    def mark(text: str, is_verified: bool) -> str:
        if not text or (len(numbers) == MAX_SOURCES and (text, is_verified) not in numbers):
            return ""
        return numbers.setdefault((text, is_verified), formats.number(len(numbers) + 1, lang))

    rows = tuple(
        ReasonRow(
            reason=reason,
            bar=round(reason.bar),
            limit_mark=mark(reason.standard_source, reason.is_verified),
            data_mark=mark(reason.source, True),
        )
        for reason in reasons[:MAX_REASONS]
    )
    return rows, tuple(
        Source(number, _shortened(text), _direction(text), is_verified)
        for (text, is_verified), number in numbers.items()
    )


def _unparted(sentence: str) -> str:
    """Return a sentence whose numbers keep their units beside them at the end of a line.

    Examples
    --------
    >>> len(_unparted("more than 650 m away").split(" ")), len(_unparted("بیش از ۶۵۰ متر دورند").split(" "))
    (4, 4)
    """
    return re.sub(r"(?<=[0-9۰-۹]) (?=(?:k?m|کیلومتر|متر)\b)", "\u00a0", sentence)


def _direction(text: str) -> str:
    """Return which way a text runs: of the script of its first letter.

    Examples
    --------
    >>> _direction("(IBGE, 2022)"), _direction("۱. شهرداری")
    ('ltr', 'rtl')
    """
    strong = next((kind for kind in map(bidirectional, text) if kind in ("L", "R", "AL")), "L")
    return "ltr" if strong == "L" else "rtl"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SOURCE else f"{text[: MAX_SOURCE - 1].rstrip()}…"


def _more(rest: Sequence[Reason]) -> str:
    if not rest:
        return ""
    lang = language()
    return ngettext(
        "%(n)s more service adds %(points)s points; the page of the place tells which.",
        "%(n)s more services add %(points)s points; the page of the place tells which.",
        len(rest),
    ) % {"n": formats.number(len(rest), lang), "points": formats.number(sum(each.points for each in rest), lang)}


def need_row(summary: SectorSummary, lang: str) -> NeedRow:
    """Return what is lacking in one sector as it is printed."""
    people = summary.people_affected
    return NeedRow(
        sector=summary.sector.name,
        needs=formats.number(summary.needs, lang),
        confirmed=formats.number(summary.confirmed, lang),
        people=_("withheld") if people is None else formats.number(people, lang),
        proposals=formats.number(summary.proposals, lang),
    )


def _method(result: CityPriority, reasons: Sequence[Reason]) -> list[str]:
    """Return the method in words, a sentence or two an item."""
    covered, lang = result.coverage, language()
    said = [
        measured.method_text(covered),
        _(
            "Priority is the weighted geometric mean of the shares of people without each service, from 0 to 100: a bad value is "
            "only partly made up for by good ones."
        )
        if result.aggregation == "geometric"
        else _(
            "Priority is the weighted mean of the shares of people without each service, from 0 to 100: a good value makes up for "
            "a bad one."
        ),
    ]
    if result.normalisation == "min-max":
        said.append(_("Each share is first put on a scale between the least and the greatest of the city."))
    if covered.population:
        words = {
            "layer": covered.population.name,
            "date": formats.day(covered.population.reference_date, lang),
            "source": f"\u2068{covered.population.source_text}\u2069",
        }
        said.append(_("People: %(layer)s, %(date)s; source: %(source)s.") % words)
    if any(each.is_near_edge for each in reasons):
        said.append(
            _("The place lies near the edge of the data: facilities beyond it may be nearer and are not counted.")
        )
    said.append(_("Counts of fewer than 10 people are not told to the public."))
    return said


# ---- the locator map


def _locator(drawing: Drawing, code: str, result: CityPriority, standard: CityPriority, is_insider: bool) -> Locator:
    lang, covered = language(), result.coverage
    values = figures.values_of(result, "priority", None, is_insider)
    own = values if standard is result else figures.values_of(standard, "priority", None, is_insider)
    ruler = legend.classes_of("priority", [value.need for value in own])
    people = [telling.people(float(count), is_insider) for count in covered.values.population]
    key = legend.legend_of(covered, values, people, ruler, "priority", None)
    indices = {place.code: ruler.of(value.need) for place, value in zip(covered.places, values, strict=True)}
    here = next((outline for outline in drawing.outlines if outline.code == code), None)
    if here is None:  # withdrawn between two reads
        raise NotFound(f"{code} has no boundary in force.", code="no_boundary", where=code)
    x, y, reach = _circle_around(here, drawing)
    ring = (round(x, 1), round(y, 1), round(max(reach + 16.0, 40.0), 1)) if reach < RING else None
    margin = 8.0
    left, top, right, bottom = 0.0, 0.0, drawing.width, drawing.height
    if ring:
        left, top = min(left, x - ring[2]), min(top, y - ring[2])
        right, bottom = max(right, x + ring[2]), max(bottom, y + ring[2])
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    mm_per_unit = min(MAP_MM[0] / width, MAP_MM[1] / height)
    scale_m = outlines.nice_length(drawing.metres_per_unit * drawing.width / 3)
    return Locator(
        drawing=drawing,
        view_box=f"{left - margin:.1f} {top - margin:.1f} {width:.1f} {height:.1f}",
        width_mm=round(width * mm_per_unit, 2),
        height_mm=round(height * mm_per_unit, 2),
        column_mm=max(round(width * mm_per_unit, 2), LEGEND_MM),
        fills={each: ruler.colours[index] for each, index in indices.items() if index != classes.NO_DATA},
        here=here,
        ring=ring,
        scale_mm=round(scale_m / drawing.metres_per_unit * mm_per_unit, 2),
        scale_text=formats.distance(scale_m, lang),
        legend=tuple(LegendClass(colour, each.bounds) for colour, each in zip(ruler.colours, key.classes, strict=True)),
        has_settlements=key.has_settlements,
        has_unvalued=bool(key.without_value),
    )


def _circle_around(here: Outline, drawing: Drawing) -> tuple[float, float, float]:
    """Return the middle and the half diagonal of an outline's box, in the drawing's units.

    Latitudes are taken as evenly spaced across the sheet: over one city Mercator departs from that by less than a ring's width.
    """
    west, south, east, north = drawing.bounds_4326
    across, down = drawing.width / max(east - west, 1e-12), drawing.height / max(north - south, 1e-12)
    x_min, x_max = (here.box[0] - west) * across, (here.box[2] - west) * across
    y_min, y_max = (north - here.box[3]) * down, (north - here.box[1]) * down
    return (x_min + x_max) / 2, (y_min + y_max) / 2, math.hypot(x_max - x_min, y_max - y_min) / 2


# ---- the curve


def _chart(curve: Curve) -> Chart:
    left, top, _right, bottom = PLOT
    width, height = CHART

    def label(x: float, y: float, text: str, css: str) -> Label:
        return Label(round(100 * x / width, 2), round(100 * y / height, 2), text, css)

    labels = [label(left - 6, mark.at, mark.text, "y") for mark in curve.y_marks]
    for mark in curve.x_marks:
        is_last = mark.at > width - 40  # its text would run over the edge of the sheet's column
        labels.append(label(width if is_last else mark.at, bottom + 17, mark.text, "y" if is_last else "x"))
    labels.append(label(curve.limit_x, top - 8, curve.limit_text, "x strong"))
    if curve.mark_y is not None:
        below = curve.mark_y < 48
        labels.append(label(curve.limit_x - 10, curve.mark_y + (14 if below else -14), curve.mark_text, "y strong"))
    return Chart(curve, width, height, PLOT, tuple(labels))


# ---- from words to paper

_TEMPLATE: Final = "reports/brief.html"
_FONT_FILES: Final = ("Vazirmatn-Regular.ttf", "Vazirmatn-SemiBold.ttf")
_one_at_a_time = Lock()
"""Printing holds the processor for a second; one at a time keeps the rest of the site answering."""


def brief_html(brief: Brief) -> str:
    """Write the page that is printed; every name in it is escaped by the template."""
    lang = language()
    return render_to_string(
        _TEMPLATE, {"brief": brief, "view": brief.view, "lang": lang, "dir": "rtl" if lang == "fa" else "ltr"}
    )


def brief_key(html: str) -> str:
    """Return what tells one sheet from another: the hash of its page and of the style it is printed in."""
    return hashlib.sha256(f"{_style()}\0{html}".encode()).hexdigest()[:32]


def brief_pdf(html: str) -> bytes:
    """Print a page; the same page is printed once.

    Raises
    ------
    MahallehError
        Where the printer's system libraries are missing.
    """
    with _one_at_a_time:
        return _printed(html)


@lru_cache(maxsize=32)
def _printed(html: str) -> bytes:
    pdf: bytes = document_of(html).write_pdf(pdf_tags=True)
    return pdf


def document_of(html: str) -> Document:
    """Lay a page out on sheets of A4; its ``pages`` can be counted.

    Raises
    ------
    MahallehError
        Where the printer's system libraries are missing.
    """
    try:  # here, because the import takes half a second and needs Pango, and the site shall start without both
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
    except OSError as error:
        raise MahallehError(
            "PDFs cannot be made on this machine: Pango is missing.",
            code="no_pango",
            remedy="Install it, on Debian with: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0.",
        ) from error
    fonts, fetcher = FontConfiguration(), _fetcher()
    styles = CSS(
        string=_style(),
        base_url=f"{font_folder().as_uri()}/",
        url_fetcher=fetcher,
        font_config=fonts,
    )
    page = HTML(string=html, url_fetcher=fetcher)
    return page.render(font_config=fonts, stylesheets=[styles], pdf_tags=True)


@cache
def _style() -> str:
    return (Path(__file__).resolve().parent.parent / "templates" / "reports" / "brief.css").read_text(encoding="utf-8")


def font_folder() -> Path:
    """Return the folder with the font files that are embedded."""
    return Path(settings.BASE_DIR) / "node_modules" / "vazirmatn" / "fonts" / "ttf"


@cache
def _fetcher() -> Any:
    """Return the only way out the printer has: to the two font files, by their own addresses, and nowhere else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

    allowed = {(font_folder() / name).as_uri(): font_folder() / name for name in _FONT_FILES}

    class OnlyFonts(URLFetcher):  # type: ignore[misc]
        """Opens nothing but the fonts."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
            """Return a font, or refuse."""
            if url not in allowed:
                logger.warning("A report asked for %.200s and was refused.", url)
                raise ValueError("Reports fetch nothing.")
            return URLFetcherResponse(url, allowed[url].read_bytes())

    return OnlyFonts()
