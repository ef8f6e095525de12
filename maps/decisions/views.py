"""Pages of decisions: the table of those who lead, with a selection proposed under the budget; and what everybody reads."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from analysis.selectors import city_get
from geo.errors import Conflict, Forbidden, InvalidInput, LimitExceeded
from geo.models import Place
from interventions.core.portfolio import Rules, budget_curve, portfolio
from interventions.core.transitions import RoundState
from interventions.models import Decision, Need, Proposal, Round
from interventions.querysets import LEADING_ROLES
from interventions.selectors import DecisionTable, decision_table, decisions_told, proposals_found, roles_at, round_get
from interventions.services import Ruling, decisions_publish, decisions_take, demand_of, effects_refresh
from maps.decisions import presenters
from maps.pages import formats
from maps.pages.reader import language
from maps.pages.typed import Typed
from maps.proposals.presenters import proposal_view, rials_text
from maps.rounds.forms import rials_of

SOLVER_S: Final = 2.0
"""Seconds that a request gives the solver."""

CURVE_POINTS: Final = 8
MOST_CURVE: Final = 60
"""Proposals of which the curve is drawn; of more it would keep the reader waiting."""

Refusals = (InvalidInput, Conflict, LimitExceeded)


@dataclass(frozen=True, slots=True)
class Asked:
    """A selection that is asked for: the sum that may be spent, and what comes of it."""

    budget_irr: int
    chosen: frozenset[int]
    view: presenters.SelectionView


@require_safe
def told(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer which decisions of a round were published, with sums and reasons."""
    place = city_get(city, request.user)
    round_ = round_get(number, request.user, place)
    rows = decisions_told(round_, place)
    context = {
        "city": place,
        "tab": "rounds",
        "round": round_,
        "finding": presenters.told_sentence(rows),
        "rows": presenters.told_views(rows),
        "published_text": presenters.published_text(rows),
        "may_decide": _leads(request, round_),
    }
    return render(request, "maps/decisions/told.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with all that is before those who decide; decide together, or publish."""
    place = city_get(city, request.user)
    round_ = round_get(number, request.user, place)
    if not _leads(request, round_):
        raise Forbidden(
            "Only those who lead in the place of the round decide there.",
            code="role_missing",
            where=f"round {number}",
            remedy=f"It takes one of the roles {', '.join(sorted(LEADING_ROLES))}.",
        )
    if request.method != "POST":
        return _page(request, place, round_, typed_from(request.GET))
    typed = typed_from(request.POST)
    try:
        if typed.values["do"] == "publish":
            count = decisions_publish(user=request.user, round_=round_)
            messages.success(request, _published_sentence(count))
            return redirect("decisions", place.code, number)
        decided = decisions_take(user=request.user, rulings=_rulings(typed, request, round_))
    except Refusals as error:
        typed.refuse(error)
        return _page(request, place, round_, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, _decided_sentence(decided))
    return redirect("decision", place.code, number)


def typed_from(data: QueryDict) -> Typed:
    """Return the form as it was sent."""
    values = {name: str(value)[:6000] for name, value in data.items()}
    values = {"do": "", "reason": "", "budget": "", "propose": ""} | values
    return Typed(values, {"chosen": [one[:20] for one in data.getlist("chosen")[:500]]})


def _leads(request: HttpRequest, round_: Round) -> bool:
    return not roles_at(request.user, round_.place).isdisjoint(LEADING_ROLES)


def _rulings(typed: Typed, request: HttpRequest, round_: Round) -> list[Ruling]:
    event = typed.values["do"]
    chosen = {one for one in typed.lists["chosen"] if one.isascii() and one.isdecimal() and len(one) < 19}
    found = Proposal.objects.visible_to(request.user).filter(round=round_, pk__in=map(int, chosen)).order_by("pk")
    proposals = list(found)
    if not proposals or len(proposals) < len(set(typed.lists["chosen"])):
        raise InvalidInput(
            "Nothing is chosen." if not typed.lists["chosen"] else "There is no such choice here, or you may not see it.",
            code="no_choice",
            where="chosen",
            remedy="Choose at least one." if not typed.lists["chosen"] else "Choose one of those offered.",
        )  # fmt: skip
    rulings = []
    for proposal in proposals:
        granted: Decimal | None = None
        if event == "accept":
            granted = rials_of(typed, f"granted-{proposal.pk}")
        version = typed.values.get(f"version-{proposal.pk}", "")
        rulings.append(
            Ruling(
                proposal=proposal,
                event=event,
                reason=typed.values.get(f"reason-{proposal.pk}", "").strip() or typed.values["reason"],
                version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 0,
                granted_irr=granted,
            )
        )
    if typed.wrong:
        raise InvalidInput(
            "This is no sum of rials.",
            code="bad_number",
            where=next(iter(typed.wrong)),
            remedy="Write it in digits, without a unit.",
        )
    return rulings


def _page(request: HttpRequest, city: Place, round_: Round, typed: Typed, status: int = 200) -> HttpResponse:
    effects_refresh(proposals_found(city, request.user).filter(round=round_, service__isnull=False), SOLVER_S)
    table = decision_table(round_, city, request.user)
    asked = _asked(table, typed) if typed.values["propose"] or typed.values["budget"] else None
    picked = {int(one) for one in typed.lists["chosen"] if one.isascii() and one.isdecimal()}
    picked |= asked.chosen if asked else frozenset()
    lang = language()
    rows = [
        {
            "view": proposal_view(row, city.code),
            "is_picked": row.pk in picked,
            "granted": typed.values.get(f"granted-{row.pk}", formats.number(row.asked_irr, lang)),
            "reason": typed.values.get(f"reason-{row.pk}", ""),
            "wrong": typed.wrong.get(f"granted-{row.pk}", ""),
        }
        for row in table.open
    ]
    unpublished = Decision.objects.filter(proposal__round=round_, published_at__isnull=True).exists()
    context: dict[str, Any] = {
        "city": city,
        "tab": "rounds",
        "round": round_,
        "finding": presenters.finding(table),
        "areas": presenters.area_views(table),
        "rows": rows,
        "decided": [proposal_view(row, city.code) for row in table.proposals if row not in table.open],
        "table": table,
        "left_text": rials_text(table.left_irr),
        "granted_text": rials_text(table.granted_irr),
        "budget_text": rials_text(table.budget_irr),
        "budget_value": typed.values["budget"]
        or (formats.number(max(table.left_irr, 0), lang) if table.left_irr is not None else ""),
        "asked": asked,
        "typed": typed,
        "has_unpublished": unpublished,
        "is_open": round_.state == RoundState.OPENED,
    }
    return render(request, "maps/decisions/decide.html", context, status=status)


def _asked(table: DecisionTable, typed: Typed) -> Asked | None:
    """Return the selection that serves most people within a sum; None where it cannot be told, which is noted."""
    budget = rials_of(typed, "budget")
    if budget is None and "budget" not in typed.wrong:
        budget = None if table.left_irr is None else Decimal(max(table.left_irr, 0))
        if budget is None:
            typed.refuse(
                InvalidInput(
                    "The round has no budget.",
                    code="no_budget",
                    where="budget",
                    remedy="Type the sum that may be spent.",
                )
            )
    rows = table.open
    if budget is None or not rows:
        return None
    found = {
        one.pk: one
        for one in Proposal.objects.filter(pk__in=[row.pk for row in rows])
        .select_related("round__place", "service")
        .prefetch_related(Prefetch("needs", Need.objects.order_by("pk")))
    }
    demand = demand_of([found[row.pk] for row in rows])
    costs = [row.asked_irr for row in rows]
    rules = Rules(budget_irr=int(budget))
    try:
        best = portfolio(costs, demand, rules, time_limit_s=SOLVER_S)
    except Refusals as error:
        typed.refuse(error)
        return None
    total = sum(costs)
    steps = [total * n // CURVE_POINTS for n in range(1, CURVE_POINTS + 1)] if len(rows) <= MOST_CURVE else []
    curve = budget_curve(costs, demand, rules, steps) if total else ()
    view = presenters.selection_view(best, rows, curve, int(budget))
    return Asked(int(budget), frozenset(rows[one.proposal].pk for one in best.chosen), view)


def _decided_sentence(decided: tuple[Decision, ...]) -> str:
    return ngettext(
        "%(n)s proposal is decided. It is public once you publish it.",
        "%(n)s proposals are decided. They are public once you publish them.",
        len(decided),
    ) % {"n": formats.number(len(decided), language())}


def _published_sentence(count: int) -> str:
    return ngettext("%(n)s decision is now public.", "%(n)s decisions are now public.", count) % {
        "n": formats.number(count, language())
    }
