"""Words that all of the pages of siting use: limits, people, what is proven, what a worker does, why a plan failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from maps.pages import formats
from maps.pages.reader import language
from maps.problems.telling import place_told, told

_TIMED: Final = ("walking", "cycling", "surface")

STEPS: Final[Mapping[str, Any]] = {
    "": gettext_lazy("Waiting for the worker …"),
    "reading": gettext_lazy("Reading people, places and facilities …"),
    "measuring": gettext_lazy("Measuring the way to each candidate …"),
    "solving": gettext_lazy("Looking for the best choice …"),
    "telling": gettext_lazy("Counting who is reached …"),
}
"""What a worker does, by the name of the step."""


def name_of(row: Mapping[str, Any], name: str, lang: str) -> str:
    """Return a name that is kept in both languages."""
    return str(row[f"{name}_{'en' if lang == 'en' else 'fa'}"])


def people_text(people: float, lang: str) -> str:
    """Write a number of people."""
    return formats.number(round(people), lang)


def gap_text(gap: float, lang: str) -> str:
    """Write how far a plan may be from the best."""
    return formats.percent(gap, lang, 1) if gap >= 0.0005 else formats.percent(0.0, lang)


def limit_phrase(metres: float, travel: str, lang: str) -> str:
    """Write a limit as sentences name it, such as “800 m along streets”."""
    text = formats.cost(metres, lang, travel in _TIMED)
    phrase = {
        "streets": _("%(distance)s along streets"),
        "walking": _("%(distance)s on foot"),
        "cycling": _("%(distance)s by bicycle"),
        "surface": _("%(distance)s on foot over the land"),
    }.get(travel, "%(distance)s")
    return phrase % {"distance": text}


def proof_sentence(asked: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Say what is proven of a plan: never more than is."""
    lang, gap = language(), result["gap"]
    if result["status"] == "optimal":
        most = (
            _("Proven: no other choice among the candidates reaches more, counted by priority.")
            if asked["by_priority"]
            else _("Proven: no other choice among the candidates reaches more.")
        )
        return {
            "lscp": _("Proven: fewer facilities cannot do it."),
            "p-median": _("Proven: no other choice among the candidates has a shorter mean way."),
            "p-centre": _("Proven: no other choice among the candidates has a shorter farthest way."),
        }.get(asked["model"], most)
    if gap is None:
        return _("The best found in the time allowed; how much better another choice might be is not known.")
    if result["status"] == "gap_proven":
        return _("Proven: no other choice is better by more than %(gap)s.") % {"gap": gap_text(gap, lang)}
    return _("The best found in the time allowed: another choice might be better by up to %(gap)s.") % {
        "gap": gap_text(gap, lang)
    }


def problem_kept(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return why a plan could not be computed, as kept by the worker, in the reader's language."""
    lang = language()
    kept = dict(problem)
    if lang == "en":
        return kept
    details = dict(kept.get("details", {}))
    for name in [name for name in details if name.endswith(f"_{lang}")]:
        details[name.removesuffix(f"_{lang}")] = details[name]
    words = {name: value for name, value in details.items() if isinstance(value, str)}
    kept["title"] = told(kept["title"], words) or kept["title"]
    kept["remedy"] = told(kept.get("remedy", ""), words) or kept.get("remedy", "")
    kept["place"] = place_told(kept["where"]) if kept.get("where") else ""
    return kept


__all__ = ["STEPS", "gap_text", "limit_phrase", "name_of", "people_text", "problem_kept", "proof_sentence"]
