"""Pages of decisions as data: the table by place, a proposed selection with what it leaves out, what the public reads. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.core.portfolio import CurvePoint, Portfolio
from interventions.models import Decision
from interventions.selectors import DecisionTable, ProposalRow, ToldDecision
from maps.pages import formats
from maps.pages.reader import language
from maps.proposals.presenters import people_text, rials_text


@dataclass(frozen=True, slots=True)
class AreaView:
    """A place under decision."""

    name: str
    code: str
    rank_text: str
    needs_text: str
    unanswered_text: str
    is_unanswered: bool
    proposals: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class LeftOutView:
    """A proposal that a selection leaves out, and why."""

    title: str
    asked_text: str
    people_text: str
    reason: str


@dataclass(frozen=True, slots=True)
class CurveView:
    """What a budget would reach, and what its last step adds."""

    budget_text: str
    people_text: str
    added_text: str
    bar: float


@dataclass(frozen=True, slots=True)
class SelectionView:
    """A proposed selection."""

    sentence: str
    proof: str
    left_out: tuple[LeftOutView, ...]
    curve: tuple[CurveView, ...]
    is_mixed: bool


@dataclass(frozen=True, slots=True)
class ToldView:
    """A published decision."""

    title: str
    organisation: str
    places: str
    outcome: str
    outcome_text: str
    granted_text: str
    reason: str


def finding(table: DecisionTable) -> str:
    """Say how many proposals wait, and what is left of the budget."""
    lang = language()
    waiting = len(table.open)
    told = (
        ngettext("%(n)s proposal waits for a decision", "%(n)s proposals wait for a decision", waiting)
        % {"n": formats.number(waiting, lang)}
        if waiting
        else _("No proposal waits for a decision")
    )
    if table.left_irr is None:
        return told
    return _("%(waiting)s; %(left)s of the budget of %(budget)s are left") % {
        "waiting": told,
        "left": rials_text(table.left_irr),
        "budget": rials_text(table.budget_irr),
    }


def area_views(table: DecisionTable) -> list[AreaView]:
    """Present the places, the neediest first."""
    lang = language()
    titles = {row.pk: row.title for row in table.proposals}
    return [
        AreaView(
            name=area.place.name,
            code=area.place.code,
            rank_text=formats.number(area.rank, lang) if area.rank is not None else formats.DASH,
            needs_text=formats.number(area.needs, lang),
            unanswered_text=formats.number(area.unanswered, lang),
            is_unanswered=area.unanswered > 0,
            proposals=tuple((pk, titles[pk]) for pk in area.proposals),
        )
        for area in table.areas
    ]


def selection_view(
    best: Portfolio, rows: Sequence[ProposalRow], curve: Sequence[CurvePoint], budget_irr: int
) -> SelectionView:
    """Present a proposed selection: what it reaches, whether it is proven best, what it leaves out and why."""
    lang = language()
    sentence = ngettext(
        "With %(budget)s, %(n)s proposal serves %(people)s and leaves %(left)s",
        "With %(budget)s, %(n)s proposals serve %(people)s and leave %(left)s",
        len(best.chosen),
    ) % {
        "budget": rials_text(budget_irr),
        "n": formats.number(len(best.chosen), lang),
        "people": people_text(best.people),
        "left": rials_text(best.left_irr),
    }
    if best.status == "optimal":
        proof = _("Proven: no selection within this sum serves more people.")
    elif math.isfinite(best.gap):
        proof = _("Not proven in the time allowed: at most %(gap)s more people could be served.") % {
            "gap": formats.percent(best.gap, lang, 1)
        }
    else:
        proof = _("Not proven in the time allowed.")
    reasons = {
        "excluded": _("is excluded"),
        "adds_nothing": _("adds nobody: those chosen serve all whom it serves"),
        "exclusive": _("excludes one that is chosen"),
        "ceiling": _("costs more than may still be spent on its group"),
        "no_money": _("costs more than is left; what is chosen serves more people for the money"),
    }
    most = max((point.people for point in curve), default=0.0)
    steps = []
    for before, point in zip((None, *curve), curve, strict=False):
        added = point.people - (before.people if before else 0.0)
        steps.append(
            CurveView(
                budget_text=rials_text(point.budget_irr),
                people_text=formats.number(round(point.people), lang),
                added_text=formats.number(round(added), lang),
                bar=round(100 * point.people / most, 1) if most > 0 else 0.0,
            )
        )
    return SelectionView(
        sentence=sentence,
        proof=proof,
        left_out=tuple(
            LeftOutView(
                title=rows[one.proposal].title,
                asked_text=rials_text(one.cost_irr),
                people_text=people_text(one.adds_people),
                reason=reasons[one.reason],
            )
            for one in best.left_out
        ),
        curve=tuple(steps),
        is_mixed=len({row.effect is None for row in rows}) > 1,
    )


def told_views(rows: Sequence[ToldDecision]) -> list[ToldView]:
    """Present what was published."""
    lang = language()
    return [
        ToldView(
            title=row.title,
            organisation=row.organisation.name,
            places=formats.listing([place.name for place in row.places], lang),
            outcome=row.outcome,
            outcome_text=str(Decision.Outcome(row.outcome).label),
            granted_text=rials_text(row.granted_irr) if row.granted_irr else formats.DASH,
            reason=row.reason,
        )
        for row in rows
    ]


def told_sentence(rows: Sequence[ToldDecision]) -> str:
    """Say what was decided in all."""
    lang = language()
    if not rows:
        return _("No decision of this round is published yet")
    accepted = [row for row in rows if row.outcome == Decision.Outcome.ACCEPTED]
    return ngettext(
        "%(n)s of %(all)s proposals is accepted, with %(sum)s",
        "%(n)s of %(all)s proposals are accepted, with %(sum)s",
        len(accepted),
    ) % {
        "n": formats.number(len(accepted), lang),
        "all": formats.number(len(rows), lang),
        "sum": rials_text(sum(row.granted_irr for row in accepted)),
    }


def published_text(rows: Sequence[ToldDecision]) -> str:
    """Say when the newest of these decisions was published."""
    if not rows:
        return ""
    return formats.day(timezone.localtime(max(row.published_at for row in rows)), language())
