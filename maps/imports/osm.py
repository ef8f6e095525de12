"""OpenStreetMap on the page of an upload: which layers the file offers, the rule of the chosen one in words and to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from geo.errors import InvalidInput
from layers.reading.osm_rules import (
    ANY,
    KEY_FIELD,
    Condition,
    Rule,
    Rules,
    RulesError,
    default_rules,
    rule_text,
    rules_of,
    rules_text,
)
from layers.services.osm_rules import rules_wanted
from maps.pages import formats
from maps.pages.reader import language

_MOST_SAID: Final = 8

SOURCE: Final[Mapping[str, str]] = {
    "source": "OpenStreetMap contributors", "source_fa": "مشارکت‌کنندگان OpenStreetMap", "licence": "ODbL 1.0",
}  # fmt: skip
"""What a new layer of such a file says of itself unless a person says otherwise."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A layer that a file can become, by one rule."""

    code: str
    name: str
    rows: int
    words: str
    is_chosen: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class OfferView:
    """What the page says of an OpenStreetMap file.

    Attributes
    ----------
    full, empty : tuple of Offer
        The layers that have rows, those with most first, and those that have none.
    entry : str
        What stands in the entry of rules; empty where no layer is chosen.
    words : tuple of str
        The rule of the chosen layer, in sentences.
    is_changed : bool
        Whether that rule is not the program's own.
    """

    full: tuple[Offer, ...]
    empty: tuple[Offer, ...]
    entry: str = ""
    words: tuple[str, ...] = ()
    is_changed: bool = False


def offer_view(report: Mapping[str, Any], options: Mapping[str, Any]) -> OfferView | None:
    """Return what the page says of an OpenStreetMap file; None of another one."""
    if "offers" not in report:
        return None
    rules = rules_as_they_stand(options)
    counted = {one["code"]: int(one["rows"]) for one in report["offers"]}
    chosen = str(options.get("layer") or report.get("layer") or "")
    offered = [
        Offer(
            rule.code, _name(rule), counted.get(rule.code, 0), _in_short(rule), rule.code == chosen, _is_changed(rule)
        )
        for rule in rules.rules
    ]
    full = sorted((one for one in offered if one.rows), key=lambda one: -one.rows)
    empty = [one for one in offered if not one.rows]
    rule = next((one for one in rules.rules if one.code == chosen), None)
    if rule is None:
        return OfferView(tuple(full), tuple(empty))
    return OfferView(
        tuple(full), tuple(empty), entry_of(options, rule), rule_words(rule), _is_changed(rule)
    )  # fmt: skip


def rules_as_they_stand(options: Mapping[str, Any]) -> Rules:
    """Return the rules that options lead to; where they cannot be used, those of the program."""
    try:
        return rules_wanted(options)
    except InvalidInput:
        return default_rules()


def entry_of(options: Mapping[str, Any], rule: Rule) -> str:
    """Return what stands in the entry of rules: what somebody wrote, with the rule of the chosen layer if that is not in it."""
    text = str(options.get("rules") or "")
    if not text:
        return rules_text([rule])
    try:
        own = rules_of(text).rules
    except RulesError:  # shown as it was written
        return text
    return text if any(one.code == rule.code for one in own) else f"{text.rstrip()}\n\n{rule_text(rule)}"


def is_ours(text: str) -> bool:
    """Tell whether rules say nothing else than those of the program."""
    return all(rule in default_rules().rules for rule in rules_of(text).rules)


def new_layer_of(report: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, str]:
    """Return what a new layer made by the chosen rule would say of itself; empty where none is chosen."""
    chosen = str(options.get("layer") or report.get("layer") or "") if "offers" in report else ""
    rule = next((one for one in rules_as_they_stand(options).rules if chosen and one.code == chosen), None)
    if rule is None:
        return {}
    said = {"name_fa": rule.name_fa, "name_en": rule.name_en, "theme": rule.theme, "purpose": rule.purpose, **SOURCE}
    return {name: text for name, text in said.items() if text}


def fields_of_rule(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that the rule of the chosen layer gives."""
    rule = next((one for one in rules_as_they_stand(options).rules if one.code == options.get("layer")), None)
    return frozenset({KEY_FIELD, *(one.name for one in rule.attributes)}) if rule is not None else frozenset()


def rule_words(rule: Rule) -> tuple[str, ...]:
    """Say in sentences what a rule takes, leaves out, and keeps.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     rule_words(Rule("wells", "point", (Condition((("man_made", ("water_well",)),)),)))
    ('It takes what has \u2066man_made = water_well\u2069, and makes a point of each; of an area, one inside it.',)
    """
    becomes = {
        "point": _("It takes what has %(tags)s, and makes a point of each; of an area, one inside it."),
        "line": _("It takes lines that have %(tags)s."),
        "polygon": _("It takes areas that have %(tags)s."),
        "any": _("It takes what has %(tags)s, as it is drawn there."),
    }
    said = [becomes[rule.geometry] % {"tags": _any_of(rule.where)}]
    if rule.unless:
        said.append(_("It leaves out what has %(tags)s.") % {"tags": _any_of(rule.unless)})
    if rule.attributes:
        names = [f"\u2066{one.name}\u2069" for one in rule.attributes]
        said.append(_("It keeps the fields %(names)s.") % {"names": formats.listing(names, language())})
    return tuple(said)


def _any_of(conditions: Sequence[Condition]) -> str:
    return _(" or ").join(_all_of(condition) for condition in conditions)


def _all_of(condition: Condition) -> str:
    return formats.listing([_tag(tag, values) for tag, values in condition.tags], language())


def _tag(tag: str, values: tuple[str, ...]) -> str:
    if values == (ANY,):
        return f"\u2066{tag}\u2069"
    more = len(values) - _MOST_SAID
    shown = " | ".join(values[:_MOST_SAID]) + (f" | … +{more}" if more > 0 else "")
    return f"\u2066{tag} = {shown}\u2069"


def _in_short(rule: Rule) -> str:
    """Return the first thing that a rule takes, for a list."""
    tag, values = rule.where[0].tags[0]
    more = len(values) > 3 or len(rule.where) > 1 or len(rule.where[0].tags) > 1
    text = tag if values == (ANY,) else f"{tag} = {' | '.join(values[:3])}"
    return f"{text} …" if more else text


def _name(rule: Rule) -> str:
    return (rule.name_en if language() == "en" else rule.name_fa) or rule.code


def _is_changed(rule: Rule) -> bool:
    return rule not in default_rules().rules
