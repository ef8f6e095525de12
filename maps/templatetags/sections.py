"""The pages of a city in sections: the way that each of them shows to all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analysis.disclosure import is_insider
from geo.models import Place
from geo.querysets import User
from interventions.selectors import works_around

register = template.Library()

Words: TypeAlias = Promise | str
Shown: TypeAlias = Callable[[Place, User], bool]


def _anybody(city: Place, user: User) -> bool:
    return True


def _signed_in(city: Place, user: User) -> bool:
    return bool(user.is_authenticated)


def _worker(city: Place, user: User) -> bool:
    return bool(user.is_authenticated and works_around(user, city))


def _supposer(city: Place, user: User) -> bool:
    return bool(user.is_authenticated and is_insider(user, city))


SECTIONS: Final[tuple[tuple[Words, tuple[tuple[str, str, Words, Shown], ...]], ...]] = (
    (
        _("Coverage and priority"),
        (
            ("city", "city", pgettext_lazy("page of a city", "Map"), _anybody),
            ("coverage", "city-coverage", _("Services side by side"), _anybody),
            ("measures", "measures", _("Measures"), _anybody),
            ("index", "index-builder", _("Index"), _supposer),
            ("index-editions", "index-editions", _("Published indices"), _anybody),
            ("siting", "siting", _("Siting"), _supposer),
            ("blocks", "city-blocks", _("Settlement form"), _supposer),
            ("what-if", "what-if", _("What if"), _supposer),
            ("scenarios", "scenarios", _("Scenarios"), _supposer),
        ),
    ),
    (
        _("Needs and work"),
        (
            ("rounds", "rounds", _("Rounds"), _anybody),
            ("needs", "needs", _("Needs"), _worker),
            ("proposals", "proposals", _("Proposals"), _worker),
            ("actions", "actions", _("Who does what"), _anybody),
            ("changed", "changed", _("What changed"), _anybody),
        ),
    ),
    (
        _("Organisations"),
        (
            ("organisations", "organisations", _("Who works here"), _anybody),
            ("councils", "councils", _("Councils and committees"), _anybody),
            ("capacities", "capacities", _("Capacities"), _anybody),
        ),
    ),
    (
        _("Data and boundaries"),
        (
            ("layers", "city-layers", _("Data"), _anybody),
            ("changes", "changes", _("Changes"), _signed_in),
            ("as-of", "as-of", _("The city on a day"), _anybody),
        ),
    ),
)
"""Name and pages of each section, the first page for everybody: name of the tab, name of the address, words, who is shown it."""

_INSIDE: Final = {"place": "city", "history": "as-of"}
"""Tabs of pages that are reached from another."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a section."""

    name: Words
    address: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A section; its pages are told of the one in which the reader is."""

    name: Words
    address: str
    is_current: bool
    pages: tuple[Page, ...] = ()


@register.simple_tag(takes_context=True)
def sections_of(context: dict[str, Any], city: Place) -> tuple[Section, ...]:
    """Return the sections of a city, with the pages of the present one that the reader is shown."""
    tab = context.get("tab") or ""
    tab = _INSIDE.get(tab, tab)
    user = context["user"]
    found = []
    for name, pages in SECTIONS:
        is_current = any(tab == key for key, *_rest in pages)
        shown = tuple(
            Page(words, reverse(address, args=[city.code]), key == tab)
            for key, address, words, may in pages
            if is_current and may(city, user)
        )
        found.append(Section(name, reverse(pages[0][1], args=[city.code]), is_current, shown))
    return tuple(found)
