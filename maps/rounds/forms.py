"""What a leader sends about a round, read once; what is wrong stands beside its field, and nothing typed is lost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import QueryDict

from geo.core.text import normalise
from geo.errors import InvalidInput
from interventions.core.phases import REQUIRED_PHASES, PhaseKind
from maps.pages.typed import Typed

MOST_RIALS: Final = 10**18 - 1


def typed_from(data: QueryDict) -> Typed:
    """Return a form as it was sent, texts cut to a length that no field needs."""
    return Typed(
        {name: str(value)[:5000] for name, value in data.items()},
        {name: [str(value)[:100] for value in data.getlist(name)[:500]] for name in ("areas", "sectors", "approaches")},
    )


def due_of(typed: Typed, *, needed: bool) -> dict[str, datetime]:
    """Return the deadlines that are typed, by phase; where ``needed``, those that every round has are asked for."""
    due: dict[str, datetime] = {}
    for kind in PhaseKind:
        name = f"{kind}_due"
        found = typed.deadline(name)
        if found is not None:
            due[kind.value] = found
        elif needed and kind in REQUIRED_PHASES and name not in typed.wrong:
            typed.refuse(
                InvalidInput(f"The phase “{kind}” has no deadline.", code="no_deadline", where=name, remedy="Give one.")
            )
    return due


def rials_of(typed: Typed, name: str) -> Decimal | None:
    """Return a sum of rials in digits of any script, with or without separators; None where none is typed."""
    text = normalise(typed.values.get(name, "")).replace(" ", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) > MOST_RIALS:
        typed.refuse(
            InvalidInput(
                "This is no sum of rials.", code="bad_number", where=name, remedy="Write it in digits, without a unit."
            )
        )
        return None
    return Decimal(int(text))
