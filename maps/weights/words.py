"""Words for weights: how they were found, how much more one counts than another, how much rankings agree."""

from __future__ import annotations

import math
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from analysis.core.weighting import Consistency
from analysis.models import Indicator
from maps.pages import formats
from maps.pages.reader import language

HOWS: Final = {
    "given": (
        gettext_lazy("Weights one by one"),
        gettext_lazy("You say of each indicator how much it counts; only the proportions matter."),
    ),
    "allocation": (
        gettext_lazy("100 points"),
        gettext_lazy("You have 100 points: whoever gives more to one indicator has less for the others."),
    ),
    "pairwise": (
        gettext_lazy("Two at a time"),
        gettext_lazy(
            "You compare each two domains; the weights follow from all comparisons (AHP), and are shared evenly within a domain."
        ),
    ),
}
"""Name of each way, and what it means in a sentence."""

_MORE: Final = (
    gettext_lazy("both matter alike"),
    gettext_lazy("%(domain)s matters a little more"),
    gettext_lazy("%(domain)s matters somewhat more"),
    gettext_lazy("%(domain)s matters clearly more"),
    gettext_lazy("%(domain)s matters much more"),
    gettext_lazy("%(domain)s matters a great deal more"),
    gettext_lazy("%(domain)s matters very much more"),
    gettext_lazy("%(domain)s matters vastly more"),
    gettext_lazy("%(domain)s matters incomparably more"),
)
"""By steps away from “alike”, after Saaty's scale from 1 to 9."""


def domain_name(code: str) -> str:
    """Return a domain's name."""
    return str(Indicator.Domain(code).label)


def pair_words() -> list[str]:
    """Return the sentences for comparisons by steps, with a gap for the domain that matters more."""
    return [str(text) for text in _MORE]


def pair_text(a: str, b: str, steps: int) -> str:
    """Say how two domains compare; below zero the first matters more."""
    more = domain_name(a if steps < 0 else b)
    text = str(_MORE[min(abs(steps), len(_MORE) - 1)]) % {"domain": more}
    return f"{text} · {formats.number(abs(steps) + 1, language())}" if steps else text


def consistency_text(found: Consistency, domains: tuple[str, ...]) -> str:
    """Say how well comparisons agree, and which is most at odds with the others where they do not."""
    lang = language()
    ratio = formats.number(found.ratio, lang, 2)
    if len(domains) < 3:
        return _("Two domains cannot contradict each other.")
    if found.is_consistent:
        return _("The comparisons agree with each other (consistency ratio %(ratio)s; up to 0.1 is well).") % {
            "ratio": ratio
        }
    text = _("The comparisons contradict each other (consistency ratio %(ratio)s, above 0.1).") % {"ratio": ratio}
    if found.most_at_odds is None or found.said is None or found.implied is None:
        return text
    a, b = (domain_name(domains[at]) for at in found.most_at_odds)
    return f"{text} " + _(
        "Most at odds with the others: you weigh %(a)s against %(b)s as %(said)s; all together make it %(implied)s."
    ) % {"a": a, "b": b, "said": times_text(found.said), "implied": times_text(found.implied)}


def times_text(value: float) -> str:
    """Write a proportion of two weights, such as “3 to 1”."""
    lang = language()
    if value >= 1:
        return _("%(n)s to 1") % {"n": formats.number(value, lang, 0 if abs(value - round(value)) < 0.05 else 1)}
    inverse = 1 / value
    return _("1 to %(n)s") % {"n": formats.number(inverse, lang, 0 if abs(inverse - round(inverse)) < 0.05 else 1)}


def concordance_text(value: float | None) -> str:
    """Say how much several rankings agree; empty where that cannot be said."""
    if value is None:
        return ""
    if value >= 0.9:
        word = _("the orders are nearly the same")
    elif value >= 0.7:
        word = _("the orders largely agree")
    elif value >= 0.5:
        word = _("the orders agree in part")
    else:
        word = _("the orders hardly agree")
    name = _("Kendall’s W")
    return f"{word} ({name} {formats.number(value, language(), 2)})"


def tau_text(value: float) -> str:
    """Say how alike two rankings are."""
    if not math.isfinite(value):
        return _("cannot be said")
    if value >= 0.8:
        return _("nearly the same order")
    if value >= 0.6:
        return _("much alike")
    if value >= 0.3:
        return _("alike in part")
    return _("hardly alike") if value >= 0 else pgettext("rankings", "rather the reverse")


__all__ = [
    "HOWS", "concordance_text", "consistency_text", "domain_name", "pair_text", "pair_words", "tau_text", "times_text",
]  # fmt: skip
