"""Forms of outcomes: a value entered, corrected or retracted; a table looked at and brought, all of it or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from analysis.models import Indicator, IndicatorValue
from analysis.selectors import city_get
from geo.errors import Conflict, Forbidden, InvalidInput, LimitExceeded, MahallehError
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.transitions import OUTCOME
from interventions.core.years import Year, year_of
from interventions.selectors.national import place_of_network
from interventions.selectors.outcomes import IndicatorRow, indicator_rows
from interventions.services import (
    OutcomePlan,
    OutcomeSpec,
    outcome_put,
    outcome_retract,
    outcomes_import,
    outcomes_plan,
)
from interventions.services.outcomes import COLUMNS, MOST_CHARACTERS, MOST_ROWS, VALUES, number_typed, year_typed
from layers.reading import Limits
from layers.reading.sheets import sheet_text
from maps.outcomes.exporting import places_measured_by
from maps.outcomes.wording import entry, value_text, year_text
from maps.pages import formats
from maps.pages.reader import language
from maps.pages.typed import Typed
from maps.problems import problem_of
from maps.problems.telling import place_told

FIELDS: Final = ("baseline", "baseline_error", "target", "measured", "measured_error", "source", "source_fa", "reason")
MOST_SHOWN: Final = 100
_OF_WORKBOOK: Final = Limits(table_bytes=16 << 20, rows=MOST_ROWS, fields=100)
_REFUSED: Final = (InvalidInput, Conflict, LimitExceeded)
"""What a person can mend: the form comes again with what was typed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Of what values are entered."""

    place: Place
    indicator: Indicator
    year: Year

    def values(self) -> dict[str, IndicatorValue]:
        """Return the values in force by kind."""
        found = IndicatorValue.objects.in_force().filter(
            place=self.place, indicator=self.indicator, year_begins_on=self.year.begins_on
        )
        return {row.kind: row for row in found}

    def query(self) -> str:
        """Return the part of the address that names it."""
        return urlencode({"place": self.place.code, "indicator": self.indicator.code, "year": self.year.number})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, city: str) -> HttpResponse:
    """Enter or correct what an indicator was before, should become and was measured to be, in a place and year."""
    place = city_get(city, request.user)
    places = _places(place, request.user)
    data = request.POST if request.method == "POST" else request.GET
    typed = Typed({name: data.get(name, "")[:400] for name in ("place", "indicator", "year", *FIELDS)})
    asked = _asked(typed, places)
    if request.method == "POST" and asked is not None:
        changed = _entered(request, asked, typed)
        if changed is not None:
            if changed:
                messages.success(request, _("Saved."))
            else:
                messages.info(request, _("Nothing was changed: the values are as they were."))
            return redirect(f"{reverse('outcome-enter', args=[place.code])}?{asked.query()}")
    values: Mapping[str, str] = typed.values
    in_force = asked.values() if asked else {}
    if request.method != "POST" and asked is not None:
        values = {**typed.values, **_as_entered(in_force)}
    is_wrong = request.method == "POST"
    context = {
        "city": place,
        "tab": "changed",
        "places": places,
        "domains": _domains(indicator_rows()),
        "values": values,
        "typed": typed,
        "asked": asked,
        "year_text": year_text(asked.year) if asked else "",
        "this_year": formats.digits(year_of(timezone.localdate()).number, language()),
        "kinds": _kinds(asked, in_force, typed) if asked else [],
        "history": _history(asked) if asked else [],
    }
    return render(request, "maps/outcomes/enter.html", context, status=400 if is_wrong else 200)


@login_required
@require_POST
def retract(request: HttpRequest, city: str) -> HttpResponse:
    """Take a value back, with a reason."""
    place = city_get(city, request.user)
    number = request.POST.get("outcome", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    seen = IndicatorValue.objects.visible_to(request.user).within(place).select_related("place", "indicator")
    outcome = seen.filter(pk=int(number)).first()
    if outcome is None:
        raise Http404
    outcome_retract(user=request.user, outcome=outcome, reason=request.POST.get("reason", "")[:2000])
    messages.success(request, _("Taken back. It stays in the history."))
    asked = Asked(outcome.place, outcome.indicator, year_of(outcome.year_begins_on))
    return redirect(f"{reverse('outcome-enter', args=[place.code])}?{asked.query()}")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest, city: str) -> HttpResponse:
    """Bring a table of values of a city: look at what it would do, then enter all of it or nothing."""
    place = city_get(city, request.user)
    return _bring(request, place, back=reverse("changed", args=[place.code]), context={"city": place, "tab": "changed"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring_to_network(request: HttpRequest, path: str) -> HttpResponse:
    """Bring a table of values of a county, a province or the country."""
    place = place_of_network(path, request.user)
    return _bring(request, place, back=reverse("network-changed", args=[place.path]), context={})


# ---- a single value


def _places(city: Place, user: User) -> list[Place]:
    found = places_measured_by(city, user)
    if not found:
        raise _role_missing(city)
    return found


def _role_missing(place: Place) -> Forbidden:
    return Forbidden(
        "Your roles in this place do not allow this.",
        code="role_missing",
        where=place.code,
        remedy=f"It takes one of the roles {', '.join(sorted(OUTCOME['enter'].roles))}.",
    )


def _asked(typed: Typed, places: list[Place]) -> Asked | None:
    """Return of what values are entered; None where it is not said, or wrong, which is noted."""
    if not any(typed.values[name] for name in ("place", "indicator", "year")):
        return None
    place = next((one for one in places if one.code == typed.values["place"]), None)
    indicator = Indicator.objects.stored().filter(code=typed.values["indicator"]).first()
    for name, found in (("place", place), ("indicator", indicator)):
        if found is None:
            typed.refuse(
                InvalidInput("Nothing is chosen.", code="bad_choice", where=name, remedy="Choose one from the list.")
            )
    try:
        year = year_typed(typed.values["year"])
    except InvalidInput as error:
        typed.refuse(error)
        return None
    return Asked(place, indicator, year) if place and indicator else None


def _entered(request: HttpRequest, asked: Asked, typed: Typed) -> int | None:
    """Store what was typed; return how many values are new, None where something is wrong, which is noted."""
    in_force = asked.values()
    numbers: dict[str, float | None] = {}
    for name in FIELDS[:5]:
        try:
            numbers[name] = number_typed(typed.values[name], name)
        except InvalidInput as error:
            typed.refuse(error)
    if typed.wrong:
        return None
    for kind in ("baseline", "measured"):
        if numbers[kind] is None and numbers[f"{kind}_error"] is not None:
            typed.refuse(
                InvalidInput(
                    "There is an error and no value.",
                    code="no_value",
                    where=kind,
                    remedy="Give the value, or leave both empty.",
                )
            )
    changed = []
    for kind in VALUES:
        value, error_ = numbers[kind], numbers.get(f"{kind}_error")
        now = in_force.get(kind)
        if value is not None and (now is None or (now.value, now.error) != (value, error_)):
            changed.append((kind, value, error_))
    if changed and not typed.values["source"].strip():
        typed.refuse(
            InvalidInput(
                "The source is missing.",
                code="no_source",
                where="source",
                remedy="Say who counted or asked whom, and when.",
            )
        )
    if typed.wrong:
        return None
    try:
        with transaction.atomic():
            for kind, value, error_ in changed:
                spec = OutcomeSpec(
                    asked.indicator, asked.place, asked.year, kind, value, error_, typed.values["source"], typed.values["source_fa"]
                )  # fmt: skip
                seen = request.POST.get(f"seen_{kind}", "0")[:18]
                outcome_put(
                    user=request.user,
                    spec=spec,
                    instead_of=int(seen) if seen.isascii() and seen.isdigit() else 0,
                    reason=typed.values["reason"],
                )
    except _REFUSED as refused:
        typed.refuse(refused)
        return None
    return len(changed)


def _as_entered(in_force: Mapping[str, IndicatorValue]) -> dict[str, str]:
    found = {kind: entry(row.value) for kind, row in in_force.items()}
    return found | {f"{kind}_error": entry(row.error) for kind, row in in_force.items()}


def _kinds(asked: Asked, in_force: Mapping[str, IndicatorValue], typed: Typed) -> list[dict[str, Any]]:
    """Return the three values of the form: label, help, what is in force."""
    told = {
        "baseline": _("What it was before. Empty: what was measured in the year before counts."),
        "target": _("What it should have become by the end of the year."),
        "measured": _("What was measured in the year."),
    }
    return [
        {
            "kind": kind,
            "label": str(IndicatorValue.Kind(kind).label),
            "help": told[kind],
            "has_error": kind != "target",
            "seen": row.pk if (row := in_force.get(kind)) else 0,
            "row": row,
        }
        for kind in VALUES
    ]


def _history(asked: Asked) -> list[tuple[IndicatorValue, str, str]]:
    """Return the values that are in force no more, the latest first."""
    found = IndicatorValue.objects.filter(
        place=asked.place, indicator=asked.indicator, year_begins_on=asked.year.begins_on, replaced_at__isnull=False
    )
    return [
        (row, str(IndicatorValue.Kind(row.kind).label), value_text(row.value, asked.indicator.unit))
        for row in found.order_by("-replaced_at", "-pk").select_related("author")[:50]
    ]


def _domains(rows: tuple[IndicatorRow, ...]) -> list[tuple[str, list[IndicatorRow]]]:
    grouped: dict[str, list[IndicatorRow]] = {}
    for row in rows:
        grouped.setdefault(str(Indicator.Domain(row.domain).label), []).append(row)
    return list(grouped.items())


# ---- a table


def _bring(request: HttpRequest, place: Place, *, back: str, context: dict[str, Any]) -> HttpResponse:
    allowed = tuple(sorted(OUTCOME["enter"].roles))
    if not (
        is_administrator(request.user)
        or Place.objects.within(place).filter(assigned_q(request.user, roles=allowed)).exists()
    ):
        raise _role_missing(place)
    text, plan, wrong = "", None, ""
    if request.method == "POST":
        try:
            text = _text_of(request)
            if request.POST.get("do") == "store":
                made = outcomes_import(user=request.user, within=place, text=text)
                messages.success(request, _stored_sentence(len(made)))
                return redirect(back)
            plan = outcomes_plan(user=request.user, within=place, text=text)
        except (*_REFUSED, Forbidden) as error:
            wrong = _fault(error)
    context = context | {
        "place": place,
        "back": back,
        "text": text,
        "plan": _plan_view(plan) if plan else None,
        "wrong": wrong,
        "columns": COLUMNS,
        "example": _example(place),
        "indicators": indicator_rows(),
        "most": formats.number(MOST_CHARACTERS, language()),
    }
    return render(request, "maps/outcomes/import.html", context, status=400 if wrong or (plan and plan.faults) else 200)


def _text_of(request: HttpRequest) -> str:
    """Return the table that was sent: a file, or what was put into the box.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where the file is in an unknown encoding, a workbook that cannot be read, or too large.
    """
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("table", "")
    if (file.size or 0) > 4 * MOST_CHARACTERS:
        raise LimitExceeded(
            f"The table has more than {MOST_CHARACTERS} characters.",
            code="table_too_large",
            where="file",
            remedy="Bring it in parts, such as a county at a time.",
            details={"most": MOST_CHARACTERS},
        )
    data: bytes = file.read()
    if data.startswith(b"PK"):
        with tempfile.TemporaryDirectory(prefix="outcomes-") as folder:
            workbook = Path(folder) / "table.xlsx"
            workbook.write_bytes(data)
            return sheet_text(workbook, _OF_WORKBOOK)
    for encoding in ("utf-8-sig", "cp1256"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(
        "The text of the file cannot be read.", code="bad_encoding", where="file", remedy="Save it as CSV in UTF-8."
    )


def _stored_sentence(count: int) -> str:
    return ngettext("%(n)s value is stored.", "%(n)s values are stored.", count) % {
        "n": formats.number(count, language())
    }


def _fault(error: MahallehError) -> str:
    told = problem_of(error)
    return " ".join(str(told[name]) for name in ("title", "remedy") if told.get(name))


def _plan_view(plan: OutcomePlan) -> dict[str, Any]:
    lang = language()
    events = {"enter": _("new"), "correct": _("corrected"), "": _("as it was")}
    faults = [(place_told(fault.where), _fault(fault)) for fault in plan.faults]
    to_do = plan.count("enter") + plan.count("correct")
    sentence = _("%(new)s new values, %(corrected)s corrected, %(same)s as they were.") % {
        "new": formats.number(plan.count("enter"), lang),
        "corrected": formats.number(plan.count("correct"), lang),
        "same": formats.number(plan.count(""), lang),
    }
    if faults:
        sentence = ngettext(
            "%(n)s thing is wrong; nothing is stored until it is put right.",
            "%(n)s things are wrong; nothing is stored until they are put right.",
            len(faults),
        ) % {"n": formats.number(len(faults), lang)}
    rows = [
        {
            "row": formats.number(one.row, lang),
            "place": one.spec.place.name,
            "indicator": one.spec.indicator.name,
            "year": year_text(one.spec.year),
            "kind": str(IndicatorValue.Kind(one.spec.kind).label),
            "was": value_text(one.was.value, one.spec.indicator.unit) if one.was else formats.DASH,
            "value": value_text(one.spec.value, one.spec.indicator.unit),
            "event": events[one.event],
            "is_change": one.event == "correct",
        }
        for one in plan.values[:MOST_SHOWN]
    ]
    return {
        "sentence": sentence,
        "faults": faults,
        "rows": rows,
        "more": formats.number(max(len(plan.values) - MOST_SHOWN, 0), lang) if len(plan.values) > MOST_SHOWN else "",
        "may_store": not faults and to_do > 0,
        "button": ngettext("Enter %(n)s value", "Enter all %(n)s values", to_do) % {"n": formats.number(to_do, lang)},
    }


def _example(place: Place) -> str:
    """Return the first lines of a table, with a place and an indicator that there are."""
    inside = Place.objects.within(place).order_by("-kind", "path").exclude(pk=place.pk).first() or place
    indicator = Indicator.objects.stored().order_by("position", "code").first()
    lang = language()
    year = formats.digits(year_of(timezone.localdate()).previous.number, lang)
    numbers = [formats.digits(text, lang) for text in ("41", "4.0", "55", "58", "4.0")]
    cells = [inside.code, indicator.code if indicator else "", year, *numbers, _("survey of 150 households"), ""]
    return "\n".join(["\t".join(COLUMNS), "\t".join(cells)])
