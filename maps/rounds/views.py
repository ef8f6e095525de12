"""Pages of rounds: the list, one round, and the forms of those who lead it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.selectors import city_get
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Place
from interventions.core.phases import REQUIRED_PHASES, PhaseKind
from interventions.core.transitions import ROUND
from interventions.models import Approach, Programme, Round, Sector
from interventions.querysets import LEADING_ROLES
from interventions.selectors import (
    RoundFound,
    organisations_of,
    programmes_for,
    roles_at,
    round_found,
    round_get,
    rounds_of,
)
from interventions.services import RoundSpec, round_admit, round_close, round_extend, round_open
from maps.pages import formats
from maps.pages.reader import language
from maps.pages.typed import Typed
from maps.rounds import presenters
from maps.rounds.forms import due_of, rials_of, typed_from

Refusals = (InvalidInput, Conflict)


@require_safe
def rounds(request: HttpRequest, city: str) -> HttpResponse:
    """Answer which rounds there are, and what is due next in each."""
    place = city_get(city, request.user)
    now = timezone.now()
    found = rounds_of(place, request.user)
    context = {
        "city": place,
        "tab": "rounds",
        "rows": [(row, presenters.row_sentence(row, now)) for row in found],
        "may_open": bool(programmes_for(request.user, place)) if request.user.is_authenticated else False,
    }
    return render(request, "maps/rounds/list.html", context)


# ---- one round


@require_http_methods(["GET", "HEAD", "POST"])
def round_page(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer who owes what by when; take a leader's step."""
    place = city_get(city, request.user)
    if request.method != "POST":
        return _round_page(request, place, number)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    found = round_get(number, request.user, place)
    typed = typed_from(request.POST)
    step = typed.values.get("do", "")
    try:
        done = _step(request, found, step, typed)
    except Refusals as error:
        typed.refuse(error)
        done = None
    if done is None:
        return _round_page(request, place, number, step, typed)
    messages.success(request, done)
    return redirect("round", place.code, number)


_STEPS: Final = ("extend", "admit", "close")
"""What a leader may do to a round on its page."""


def _step(request: HttpRequest, found: Round, step: str, typed: Typed) -> str | None:
    """Take a step of a round, and say so; None where something typed is wrong."""
    reason = typed.values.get("reason", "")
    if step == "extend":
        due = due_of(typed, needed=False)
        if typed.wrong:
            return None
        # The form shows minutes: what stands there as it was is no move of the seconds behind them.
        shown = {phase.kind: phase.due_at.replace(second=0) for phase in found.phases.all()}
        moved = {kind: at for kind, at in due.items() if at.replace(second=0) != shown.get(kind)}
        round_extend(user=request.user, round_=found, due=moved, reason=reason)
        return _("The deadlines are moved.")
    if step == "admit":
        until = typed.deadline("until")
        if until is None and not typed.wrong:
            typed.refuse(
                InvalidInput("Until when is not said.", code="no_deadline", where="until", remedy="Give a date.")
            )
        chosen = typed.values.get("organisation", "")
        body = next((one for one in organisations_of(found) if str(one.pk) == chosen), None)
        if body is None:
            typed.refuse(
                InvalidInput(
                    "No organisation is chosen.", code="no_organisation", where="organisation", remedy="Choose one."
                )
            )
        if until is None or body is None:
            return None
        kind = typed.values.get("phase", "")
        round_admit(user=request.user, round_=found, kind=kind, organisation=body, until=until, reason=reason)
        return _("%(name)s may hand in until %(moment)s.") % {
            "name": formats.isolated(body.name, language()),
            "moment": presenters.moment_text(until),
        }
    if step == "close":
        round_close(user=request.user, round_=found)
        return _("The round is closed.")
    raise InvalidInput(
        f"{step[:40]!r} is no step of a round.",
        code="bad_choice",
        where="do",
        remedy=f"Choose one of: {', '.join(_STEPS)}.",
        details={"value": step[:40]},
    )


def _round_page(
    request: HttpRequest, city: Place, number: int, step: str = "", typed: Typed | None = None
) -> HttpResponse:
    found = round_found(number, request.user, city)
    now = timezone.now()
    view = presenters.round_view(found, now)
    context = {
        "city": city,
        "tab": "rounds",
        "found": found,
        "view": view,
        "typed": typed or Typed(),
        "step": step,
        "deadlines": _deadlines(found, typed if step == "extend" else None),
        "phases": [(phase.code, phase.name) for phase in view.phases],
        "may": found.events,
    }
    status = 200 if typed is None else 400
    return render(request, "maps/rounds/round.html", context, status=status)


def _deadlines(found: RoundFound, typed: Typed | None) -> list[dict[str, str]]:
    """Return the fields of the form that moves deadlines, as they are or as they were typed."""
    fields = []
    for phase in found.phases:
        name = f"{phase.kind}_due"
        fields.append(
            {
                "name": name,
                "label": presenters.phase_name(phase.kind),
                "value": typed.values.get(name, "") if typed else typed_moment(phase.due_at),
                "wrong": typed.wrong.get(name, "") if typed else "",
            }
        )
    return fields


def typed_moment(value: datetime) -> str:
    """Write a moment as it is typed into a form."""
    local, lang = timezone.localtime(value), language()
    return f"{formats.day_in_figures(local, lang)} {formats.digits(f'{local:%H:%M}', lang)}"


# ---- a new round


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def opening(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form that opens a round; open it."""
    place = city_get(city, request.user)
    offered = programmes_for(request.user, place)
    if not offered and not _leads(request, place):
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            remedy=f"It takes one of the roles {', '.join(sorted(ROUND['open'].roles))}.",
        )
    if request.method != "POST":
        return _opening_page(request, place, offered, Typed())
    typed = typed_from(request.POST)
    try:
        made = _open(request, place, offered, typed)
    except Refusals as error:
        typed.refuse(error)
        made = None
    if made is None:
        return _opening_page(request, place, offered, typed)
    messages.success(request, _("The round is open."))
    return redirect("round", place.code, made.pk)


def _leads(request: HttpRequest, city: Place) -> bool:
    return not roles_at(request.user, city).isdisjoint(LEADING_ROLES)


def _open(
    request: HttpRequest, city: Place, offered: tuple[tuple[Programme, Place], ...], typed: Typed
) -> Round | None:
    chosen = next((pair for pair in offered if f"{pair[0].pk}/{pair[1].pk}" == typed.values.get("programme")), None)
    if chosen is None:
        typed.refuse(
            InvalidInput("No programme is chosen.", code="no_programme", where="programme", remedy="Choose one.")
        )
    due = due_of(typed, needed=True)
    budget = rials_of(typed, "budget")
    names = {name: typed.values.get(name, "").strip() for name in ("name_fa", "name_en")}
    if typed.wrong or chosen is None:
        return None
    programme, place = chosen
    areas = tuple(_parts(city).visible_to(request.user).filter(code__in=typed.lists.get("areas", [])))
    return round_open(
        user=request.user,
        spec=RoundSpec(
            programme=programme,
            place=place,
            # Where it is named in one language only, the other page shows that name.
            name_fa=names["name_fa"] or names["name_en"],
            name_en=names["name_en"] or names["name_fa"],
            due=due,
            areas=areas,
            approaches=tuple(one for one in Approach.values if one in typed.lists.get("approaches", [])),
            sectors=tuple(Sector.objects.filter(code__in=typed.lists.get("sectors", []))),
            budget_irr=budget,
        ),
    )


def _parts(city: Place) -> Any:
    kinds = (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)
    return Place.objects.within(city).filter(kind__in=kinds).order_by("-kind", "name_fa", "code")


def _opening_page(
    request: HttpRequest, city: Place, offered: tuple[tuple[Programme, Place], ...], typed: Typed
) -> HttpResponse:
    is_sent = bool(typed.values)
    marked = {name: set(typed.lists.get(name, [])) for name in ("areas", "sectors", "approaches")}
    parts = list(_parts(city).visible_to(request.user))
    if not is_sent:
        marked["areas"] = {place.code for place in parts if place.kind == Place.Kind.SETTLEMENT}
        marked["approaches"] = set(Approach.values)
    context = {
        "city": city,
        "tab": "rounds",
        "typed": typed,
        "offered": [
            (
                f"{programme.pk}/{place.pk}",
                programme.name,
                place.name,
                f"{programme.pk}/{place.pk}" == typed.values.get("programme"),
            )
            for programme, place in offered
        ],
        "deadlines": [
            {
                "name": f"{kind}_due",
                "label": presenters.phase_name(kind),
                "value": typed.values.get(f"{kind}_due", ""),
                "wrong": typed.wrong.get(f"{kind}_due", ""),
                "is_needed": kind in REQUIRED_PHASES,
            }
            for kind in PhaseKind
        ],
        "areas": [(place, place.code in marked["areas"]) for place in parts],
        "sectors": [(sector, sector.code in marked["sectors"]) for sector in Sector.objects.all()],
        "approaches": [(code, label, code in marked["approaches"]) for code, label in Approach.choices],
    }
    return render(request, "maps/rounds/open.html", context, status=400 if typed.wrong else 200)
