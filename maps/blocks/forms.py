"""What the address of a page of settlement form asks for, and what is sent to it: read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict

from analysis.forms import number
from analysis.settlement_form import FormQuestion, PlanContent, WornRule
from analysis.settlement_form.questions import LIMITS
from geo.errors import InvalidInput

NARROWEST: Final = ("0", "2.5", "3", "4", "6")
"""Widths of streets that may be asked for to give access, in metres."""
WIDTHS: Final = ("2", "3", "4", "6")
"""Of new paths."""
NEEDED: Final = ("1", "2", "3")
KINDS: Final = ("settlement", "neighbourhood", "")
DEFAULTS: Final[Mapping[str, str]] = {"narrowest": "4", "width": "4", "cost": "0", "marks": "2", "share": "50"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks.

    Attributes
    ----------
    query
        What of it is not as by default, for the addresses of other pages.
    """

    question: FormQuestion
    rule: WornRule
    chosen: Mapping[str, str]
    query: str

    @property
    def full(self) -> str:
        """All of it as a query string."""
        return urlencode(self.chosen)


def asked_from(parameters: Mapping[str, str]) -> Asked:
    """Read what is asked of a form.

    Raises
    ------
    InvalidInput
        Where something is no number or out of range.
    """
    chosen = {name: parameters.get(name, "").strip()[:40] or default for name, default in DEFAULTS.items()}
    question = FormQuestion(
        narrowest_m=number(chosen["narrowest"], "narrowest", *LIMITS["narrowest_m"]),
        path_width_m=number(chosen["width"], "width", *LIMITS["path_width_m"]),
        cost_per_m=number(chosen["cost"].replace(",", "").replace("٬", ""), "cost", *LIMITS["cost_per_m"]),
    )
    rule = WornRule(round(number(chosen["marks"], "marks", 1, 3)), number(chosen["share"], "share", 0, 100) / 100)
    said = {
        "narrowest": f"{question.narrowest_m:g}",
        "width": f"{question.path_width_m:g}",
        "cost": f"{question.cost_per_m:.12g}",
        "marks": str(rule.needed),
        "share": f"{rule.share * 100:g}",
    }
    return Asked(question, rule, said, urlencode({name: text for name, text in said.items() if text != DEFAULTS[name]}))


def kind_from(parameters: Mapping[str, str], default: str) -> str:
    """Return the kind of places that are asked for.

    Raises
    ------
    InvalidInput
        Where there is no such kind.
    """
    value = parameters.get("kind", default)
    if value not in KINDS:
        raise InvalidInput(
            f"{value[:40]!r} is not known.",
            code="bad_choice",
            where="kind",
            remedy=f"Choose one of: {', '.join(KINDS)}.",
            details={"value": value[:40]},
        )
    return value


def plan_number(text: str) -> int:
    """Return the number of a plan in an address; 0, which is none, where it is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def plan_from(data: QueryDict) -> PlanContent:
    """Read the plan that a form keeps."""
    pieces = [one for one in str(data.get("pieces", ""))[:400_000].replace(",", " ").split() if one]
    return PlanContent(
        str(data.get("name", ""))[:1_000], pieces, str(data.get("note", ""))[:10_000], str(data.get("begun_from", ""))
    )


__all__ = [
    "DEFAULTS",
    "KINDS",
    "NARROWEST",
    "NEEDED",
    "WIDTHS",
    "Asked",
    "asked_from",
    "kind_from",
    "plan_from",
    "plan_number",
]
