"""The rules by which an upload of OpenStreetMap data is read: those of the program, and what somebody changed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from geo.errors import InvalidInput
from layers.models import Layer
from layers.reading.osm_rules import Rules, RulesError, default_rules, rules_of, rules_text

MOST_CHARACTERS: Final = 32_000
"""What rules may be long."""


def rules_wanted(options: Mapping[str, Any]) -> Rules:
    """Return the rules that the options of an upload lead to.

    Raises
    ------
    InvalidInput
        Where they cannot be used: the first mistake with its line, and how many more there are.
    """
    text = options.get("rules")
    if not text:
        return default_rules()
    try:
        return default_rules().changed_by(rules_of(str(text)))
    except RulesError as error:
        first, more = error.problems[0], len(error.problems) - 1
        message = f"{first.message} ({more} more faults.)" if more else first.message
        raise InvalidInput(
            message,
            code="bad_rules",
            where=f"options.rules, line {first.row}" if first.row else "options.rules",
            remedy=first.remedy,
        ) from error


def rule_used(options: Mapping[str, Any]) -> str:
    """Return the rule by which an upload is read, as text that can be used again; empty where none was chosen."""
    code = options.get("layer")
    return rules_text([rule for rule in rules_wanted(options).rules if rule.code == code]) if code else ""


def rules_remembered(layer: Layer) -> dict[str, str]:
    """Return by which rule the newest release of a layer was read, as options; what is the program's own rule is not said."""
    newest = layer.releases.order_by("-number").first()
    how = newest.how if newest is not None and isinstance(newest.how, dict) else {}
    code, text = how.get("layer"), how.get("rules")
    if not (isinstance(code, str) and isinstance(text, str) and text):
        return {}
    try:
        own = {rule.code: rule for rule in rules_of(text).rules}
    except RulesError:  # written by a program that knew more
        return {}
    if code not in own:
        return {}
    is_ours = any(rule == own[code] for rule in default_rules().rules)
    return {"layer": code} if is_ours else {"layer": code, "rules": text}
