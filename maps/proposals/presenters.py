"""Pages of proposals as data: the sentence of the effect, what departments say, what does the same. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.core.overlap import Likeness
from interventions.models import Action, Assessment, Proposal
from interventions.selectors import AssessmentRow, EffectRow, HistoryRow, OverlapRow, ProposalRow
from maps.pages import formats
from maps.pages.reader import language

BILLION = 10**9


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """What a department says."""

    pk: int
    organisation: str
    state: str
    state_text: str
    css: str
    reason: str
    when_text: str
    events: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OverlapView:
    """Another that does the like."""

    address: str
    kind: str
    title: str
    organisation: str
    state_text: str
    likeness_text: str
    is_grave: bool


@dataclass(frozen=True, slots=True)
class EffectPlaceView:
    """What a proposal would do in one place."""

    name: str
    people: str
    score: str
    rank: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal as lists and tables show it."""

    pk: int
    address: str
    number_text: str
    title: str
    organisation: str
    sector: str
    places: str
    state: str
    state_text: str
    version: int
    cost_text: str
    own_text: str
    asked_text: str
    asked_irr: int
    needs_text: str
    effect_text: str
    people_text: str
    per_billion_text: str
    is_computed: bool
    assessments: tuple[AssessmentView, ...]
    assessed_text: str
    is_silent: bool
    overlaps: tuple[OverlapView, ...]
    submitted_text: str
    granted_text: str
    reason: str


def rials_text(sum_irr: int | None) -> str:
    """Say a sum of money; thousand millions as such, for nobody counts noughts.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     rials_text(420 * BILLION), rials_text(1_500_000)
    ('420 billion rials', '1,500,000 rials')
    """
    if sum_irr is None:
        return formats.DASH
    lang = language()
    if abs(sum_irr) >= BILLION:
        whole = sum_irr % BILLION == 0
        return _("%(n)s billion rials") % {"n": formats.number(sum_irr / BILLION, lang, 0 if whole else 1)}
    return _("%(n)s rials") % {"n": formats.number(sum_irr, lang)}


def effect_sentence(row: ProposalRow) -> str:
    """Say whom a proposal serves: newly covered, as the coverage engine computes it, or else the people of its needs."""
    lang = language()
    if row.effect is None:
        return needs_text(row)
    people = round(row.effect.people)
    values = {
        "n": formats.number(people, lang),
        "service": row.effect.service.name,
        "limit": formats.distance(row.effect.threshold_m, lang),
    }
    if people == 0:
        return _("Nobody is newly covered: whoever lives within %(limit)s has a %(service)s already.") % values
    return (
        ngettext(
            "%(n)s person newly covered: within %(limit)s of a %(service)s",
            "%(n)s people newly covered: within %(limit)s of a %(service)s",
            people,
        )
        % values
    )


def needs_text(row: ProposalRow) -> str:
    """Say how many needs are answered, and of how many people."""
    lang = language()
    needs = ngettext("%(n)s need", "%(n)s needs", row.needs) % {"n": formats.number(row.needs, lang)}
    people = people_text(row.people_in_needs)
    return _("answers %(needs)s of %(people)s") % {"needs": needs, "people": people}


def people_text(count: float) -> str:
    """Say how many people."""
    whole = round(count)
    return ngettext("%(n)s person", "%(n)s people", whole) % {"n": formats.number(whole, language())}


def proposal_view(row: ProposalRow, city: str) -> ProposalView:
    """Present a proposal."""
    lang = language()
    said = [one for one in row.assessments if one.state != "asked"]
    approved = sum(one.state == "approved" for one in said)
    assessed = ""
    if row.assessments:
        assessed = _("%(n)s of %(all)s departments approve") % {
            "n": formats.number(approved, lang),
            "all": formats.number(len(row.assessments), lang),
        }
    per = row.people_per_billion
    return ProposalView(
        pk=row.pk,
        address=reverse("proposal", args=[city, row.pk]),
        number_text=f"#{formats.digits(row.pk, lang)}",
        title=row.title,
        organisation=row.organisation.name,
        sector=row.sector.name if row.sector else "",
        places=formats.listing([place.name for place in row.places], lang),
        state=row.state,
        state_text=str(Proposal.State(row.state).label),
        version=row.version,
        cost_text=rials_text(row.cost_irr),
        own_text=rials_text(row.own_funding_irr) if row.own_funding_irr else "",
        asked_text=rials_text(row.asked_irr),
        asked_irr=row.asked_irr,
        needs_text=needs_text(row),
        effect_text=effect_sentence(row),
        people_text=people_text(row.people),
        per_billion_text=formats.number(per, lang, 0 if per is None or per >= 10 else 1) if per is not None else formats.DASH,
        is_computed=row.effect is not None,
        assessments=tuple(assessment_view(one) for one in row.assessments),
        assessed_text=assessed,
        is_silent=row.is_silent,
        overlaps=tuple(overlap_view(one, city) for one in row.overlaps),
        submitted_text=formats.day(timezone.localtime(row.submitted_at), lang) if row.submitted_at else "",
        granted_text=rials_text(row.granted_irr) if row.granted_irr else "",
        reason=row.reason,
    )  # fmt: skip


def assessment_view(row: AssessmentRow) -> AssessmentView:
    """Present what a department says; silence past the deadline is called late."""
    lang = language()
    words = {"approve": _("Approve"), "supplement": _("Ask for a supplement"), "refuse": _("Refuse")}
    state = _("silent past the deadline") if row.is_late else str(Assessment.State(row.state).label)
    when = row.said_at or row.asked_at
    return AssessmentView(
        pk=row.pk,
        organisation=row.organisation.name,
        state=row.state,
        state_text=state,
        css="is-late" if row.is_late else f"is-{row.state}",
        reason=row.reason,
        when_text=formats.day(timezone.localtime(when), lang),
        events=tuple((event, words[event]) for event in row.events),
    )


def overlap_view(row: OverlapRow, city: str) -> OverlapView:
    """Present another proposal or action that does the like."""
    words = {
        Likeness.SAME: _("the same thing in the same place at the same time"),
        Likeness.OVERLAPPING: _("overlaps in place and time"),
        Likeness.ADJACENT: _("near in place and time"),
    }
    other = row.second
    states = Action.State if other.is_action else Proposal.State
    return OverlapView(
        address=reverse("action" if other.is_action else "proposal", args=[city, other.pk]),
        kind=_("action") if other.is_action else _("proposal"),
        title=other.title,
        organisation=other.organisation.name,
        state_text=str(states(other.state).label),
        likeness_text=words[row.likeness],
        is_grave=row.is_done_twice,
    )


def effect_places(effect: EffectRow | None) -> list[EffectPlaceView]:
    """Present what a proposal would do place by place."""
    if effect is None:
        return []
    lang = language()

    def change(before: float, after: float, decimals: int) -> str:
        arrow = "←" if lang == "fa" else "→"
        return f"{formats.number(before, lang, decimals)} {arrow} {formats.number(after, lang, decimals)}"

    return [
        EffectPlaceView(
            name=one.place.name,
            people=formats.number(round(one.people), lang),
            score=change(one.score_before, one.score_after, 1),
            rank=change(one.rank_before, one.rank_after, 0),
        )
        for one in effect.places
    ]


def index_sentence(effect: EffectRow | None) -> str:
    """Say where the index changes most."""
    moved = [one for one in effect.places if one.score_before - one.score_after >= 0.05] if effect else []
    if not moved:
        return ""
    most = max(moved, key=lambda one: one.score_before - one.score_after)
    lang = language()
    return _("The index of %(place)s falls from %(before)s to %(after)s of 100 points, the most of all.") % {
        "place": formats.isolated(most.place.name, lang),
        "before": formats.number(most.score_before, lang, 1),
        "after": formats.number(most.score_after, lang, 1),
    }


def list_sentence(count: int, waiting: int) -> str:
    """Say how many proposals there are and how many wait for a decision."""
    lang = language()
    if not count:
        return _("There is no proposal here yet")
    told = ngettext("%(n)s proposal", "%(n)s proposals", count) % {"n": formats.number(count, lang)}
    if not waiting:
        return _("%(proposals)s; none waits for a decision") % {"proposals": told}
    return ngettext(
        "%(proposals)s; %(n)s waits for a decision", "%(proposals)s; %(n)s wait for a decision", waiting
    ) % {"proposals": told, "n": formats.number(waiting, lang)}


def event_word(event: str) -> str:
    """Return what was done to a proposal, as its history says it."""
    words = {
        "draft": _("drafted"),
        "amend": _("amended"),
        "submit": _("handed in"),
        "withdraw": _("withdrawn"),
        "return": _("returned for completion"),
        "accept": _("accepted"),
        "refuse": _("refused"),
        "reconsider": _("taken up again"),
    }
    return words.get(event, event)


def history_view(rows: tuple[HistoryRow, ...]) -> list[dict[str, Any]]:
    """Present what happened to a proposal."""
    lang = language()
    return [
        {
            "word": event_word(row.event),
            "at_text": formats.moment(timezone.localtime(row.at), lang),
            "actor": row.actor or (_("you") if row.is_own else ""),
            "note": row.note,
        }
        for row in rows
    ]


def done_sentence(event: str) -> str:
    """Say what was just done."""
    words = {
        "withdraw": _("The proposal is withdrawn."),
        "return": _("The proposal is returned for completion."),
        "ask": _("The departments are asked."),
        "say": _("What the department says is noted."),
        "accept": _("The proposal is accepted."),
        "refuse": _("The proposal is refused."),
        "reconsider": _("The proposal is taken up again."),
    }
    return words[event]
