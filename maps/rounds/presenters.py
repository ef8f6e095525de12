"""Pages of rounds as data: the sentence, the line of time, the matrix, and who owes what. Pure but for the clock of the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.core.phases import PhaseKind, is_late, phase_current
from interventions.models import Phase
from interventions.selectors import Duty, Extension, NeedCounts, PhaseRow, RoundFound, RoundRow
from maps.pages import formats
from maps.pages.figures import SETTLEMENT
from maps.pages.reader import language

LINE_UNITS: Final = 1000.0
"""Width of the drawing of the line of time."""


@dataclass(frozen=True, slots=True)
class PhaseView:
    """A phase as the line of time and the list below it show it."""

    code: str
    name: str
    css: str
    due_text: str
    first_due_text: str
    left_text: str
    reasons: tuple[str, ...]
    x: float


@dataclass(frozen=True, slots=True)
class Line:
    """The line of time: where today is, and where it begins and ends, in units of the drawing."""

    width: float
    today_x: float | None
    from_text: str
    to_text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the matrix: of how many needs how many are answered; ``query`` asks the list of needs for them."""

    text: str
    css: str
    title: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class AreaView:
    """A row of the matrix."""

    code: str
    name: str
    is_settlement: bool
    is_silent: bool
    numbers: tuple[tuple[str, str], ...]
    """How many are reported, confirmed, answered, decided, done, each with what the list of needs is asked for; the public is told
    the first three.
    """
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class DutyView:
    """A row of who owes what."""

    name: str
    what: str
    due_text: str
    standing: str
    css: str


@dataclass(frozen=True, slots=True)
class RoundView:
    """All that the page of a round says."""

    finding: str
    told: str
    phases: tuple[PhaseView, ...]
    line: Line
    areas: tuple[AreaView, ...]
    total: AreaView
    duties: tuple[DutyView, ...]
    late: int


def phase_name(kind: str) -> str:
    """Return the name of a phase."""
    return str(Phase.Kind(kind).label)


def left_text(due_at: datetime, at: datetime) -> str:
    """Say how long it is until a deadline, or since.

    Days are those that the calendar counts: a deadline this evening is today's.
    """
    lang = language()
    days = (timezone.localdate(due_at) - timezone.localdate(at)).days
    if is_late(due_at, at):
        if days == 0:
            return _("passed today")
        return ngettext("passed %(n)s day ago", "passed %(n)s days ago", -days) % {"n": formats.number(-days, lang)}
    if days == 0:
        return _("today")
    return ngettext("%(n)s day left", "%(n)s days left", days) % {"n": formats.number(days, lang)}


def moment_text(value: datetime | None) -> str:
    """Write a moment as the clocks of the place show it."""
    return formats.moment(timezone.localtime(value) if value else None, language())


def row_sentence(row: RoundRow, at: datetime) -> str:
    """Say in a sentence where a round stands."""
    if not row.is_open:
        return _("It was closed on %(day)s.") % {
            "day": formats.day(timezone.localtime(row.closed_at) if row.closed_at else None, language())
        }
    kind = phase_current(row.due, at)
    if kind is None:
        return _("Every deadline has passed; the round is still open.")
    return _("Due next: %(phase)s, by %(moment)s (%(left)s).") % {
        "phase": phase_name(kind),
        "moment": moment_text(row.due[kind]),
        "left": left_text(row.due[kind], at),
    }


def round_view(found: RoundFound, at: datetime) -> RoundView:
    """Present a round."""
    duties = tuple(_duty(duty, at) for duty in found.duties)
    late = sum(duty.is_late for duty in found.duties)
    line, places = _line(found.row, found.phases, at)
    return RoundView(
        finding=row_sentence(found.row, at),
        told=_told(found, late),
        phases=tuple(_phase(phase, found.row, places[phase.kind], at) for phase in found.phases),
        line=line,
        areas=tuple(
            _area(row.area.code, row.area.name, row.kind == SETTLEMENT, row.counts, row.by_sector, found)
            for row in found.areas
        ),
        total=_area("", _("together"), False, found.total, _together(found), found),
        duties=duties,
        late=late,
    )


def _told(found: RoundFound, late: int) -> str:
    """Say how far the needs are, and how many organisations are late."""
    lang = language()
    silent = sum(not row.counts.reported for row in found.areas)
    n = found.total.reported
    if not n:
        first = _("No need has been reported yet.")
    else:
        first = ngettext(
            "%(n)s need is reported; %(answered)s of them is answered by a proposal or an action.",
            "%(n)s needs are reported; %(answered)s of them are answered by a proposal or an action.",
            n,
        ) % {"n": formats.number(n, lang), "answered": formats.number(found.total.answered, lang)}
    parts = [first]
    if n and silent:
        parts.append(
            ngettext("%(n)s area has reported nothing.", "%(n)s areas have reported nothing.", silent)
            % {"n": formats.number(silent, lang)}
        )
    if late:
        parts.append(
            ngettext("%(n)s duty is late.", "%(n)s duties are late.", late) % {"n": formats.number(late, lang)}
        )
    return " ".join(parts)


def _line(row: RoundRow, phases: tuple[PhaseRow, ...], at: datetime) -> tuple[Line, dict[PhaseKind, float]]:
    start = row.opened_at
    last = max((phase.due_at for phase in phases), default=start)
    end = max(last, row.closed_at) if row.closed_at else last
    span = max((end - start).total_seconds(), 1.0)

    def x(moment: datetime) -> float:
        return round(LINE_UNITS * min(max((moment - start).total_seconds() / span, 0.0), 1.0), 1)

    today = x(at) if row.is_open and start <= at <= end else None
    lang = language()
    line = Line(
        LINE_UNITS,
        today,
        formats.day(timezone.localtime(start), lang),
        formats.day(timezone.localtime(end), lang),
    )
    return line, {phase.kind: x(phase.due_at) for phase in phases}


def _phase(phase: PhaseRow, row: RoundRow, x: float, at: datetime) -> PhaseView:
    past = is_late(phase.due_at, at) or not row.is_open
    current = not past and phase_current(row.due, at) == phase.kind
    reasons = tuple(_move_text(move) for move in phase.extensions)
    return PhaseView(
        code=phase.kind.value,
        name=phase_name(phase.kind),
        css="is-past" if past else "is-current" if current else "is-coming",
        due_text=moment_text(phase.due_at),
        first_due_text=moment_text(phase.first_due_at) if phase.is_extended else "",
        left_text=left_text(phase.due_at, at) if row.is_open else "",
        reasons=reasons,
        x=x,
    )


def _move_text(move: Extension) -> str:
    values = {
        "before": moment_text(move.due_before),
        "day": formats.day(timezone.localtime(move.at), language()),
        "reason": move.reason,
    }
    if not move.reason:
        return _("Moved from %(before)s on %(day)s.") % values
    return _("Moved from %(before)s on %(day)s: %(reason)s") % values


def _together(found: RoundFound) -> Mapping[str, NeedCounts]:
    return {
        sector.code: sum((row.by_sector.get(sector.code, NeedCounts()) for row in found.areas), NeedCounts())
        for sector in found.sectors
    }


def _area(
    code: str,
    name: str,
    is_settlement: bool,
    counts: NeedCounts,
    by_sector: Mapping[str, NeedCounts],
    found: RoundFound,
) -> AreaView:
    lang = language()

    def told(n: int) -> str:
        return formats.number(n, lang) if n else formats.DASH

    def query(**asked: str) -> str:
        about = {"round": str(found.row.pk)} | ({"area": code} if code else {})
        return urlencode(about | asked) if found.is_insider else ""

    return AreaView(
        code=code,
        name=name,
        is_settlement=is_settlement,
        is_silent=not counts.reported,
        numbers=tuple(
            (told(n), query(standing=standing) if n else "")
            for n, standing in (
                (counts.reported, "open"),
                (counts.confirmed, "confirmed"),
                (counts.answered, "answered"),
                *(((counts.decided, "decided"), (counts.done, "done")) if found.is_insider else ()),
            )
        ),
        cells=tuple(
            _cell(by_sector.get(sector.code, NeedCounts()), query(sector=sector.code)) for sector in found.sectors
        ),
    )


def _cell(counts: NeedCounts, query: str) -> Cell:
    """Say of how many needs how many are answered; the colour tells none, some and all apart."""
    lang = language()
    if not counts.reported:
        return Cell("", "is-empty", "")
    left = counts.reported - counts.answered
    css = "is-met" if not left else "is-partly" if counts.answered else "is-open"
    values = {"n": formats.number(counts.reported, lang), "answered": formats.number(counts.answered, lang)}
    return Cell(
        _("%(answered)s of %(n)s") % values,
        css,
        ngettext("%(answered)s of %(n)s need answered", "%(answered)s of %(n)s needs answered", counts.reported)
        % values,
        query,
    )


def _duty(duty: Duty, at: datetime) -> DutyView:
    lang = language()
    n = formats.number(duty.n, lang)
    if duty.kind == PhaseKind.NEEDS:
        what = (
            ngettext("%(n)s need reported", "%(n)s needs reported", duty.n) % {"n": n}
            if duty.n
            else _("no need reported")
        )
    elif duty.kind == PhaseKind.PROPOSALS:
        what = (
            ngettext("%(n)s proposal handed in", "%(n)s proposals handed in", duty.n) % {"n": n}
            if duty.n
            else _("no proposal handed in")
        )
        if duty.n and not duty.is_met:
            what = _("%(what)s, of which some are to be completed") % {"what": what}
    elif duty.kind == PhaseKind.ASSESSMENT:
        what = ngettext("owes %(n)s assessment", "owes %(n)s assessments", duty.n) % {"n": n}
    elif duty.kind == PhaseKind.DECISION:
        what = ngettext("owes %(n)s decision", "owes %(n)s decisions", duty.n) % {"n": n}
    else:
        what = ngettext("%(n)s action past its end", "%(n)s actions past their end", duty.n) % {"n": n}
    due = (
        duty.admitted_until
        if duty.admitted_until and duty.due_at and duty.admitted_until > duty.due_at
        else duty.due_at
    )
    if duty.is_late:
        standing, css = _("late"), "is-late"
    elif duty.is_met:
        standing, css = _("done"), "is-met"
    elif due is None:
        standing, css = _("owed"), "is-owed"
    else:
        standing, css = left_text(due, at), "is-owed"
    due_text = moment_text(due)
    if due is not None and due is duty.admitted_until:
        due_text = _("%(moment)s (let in)") % {"moment": due_text}
    return DutyView(
        name=duty.organisation.name if duty.organisation else _("the supervisor of the round"),
        what=what,
        due_text=due_text,
        standing=standing,
        css=css,
    )
