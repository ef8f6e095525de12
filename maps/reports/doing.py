"""What is being done in a place, on paper: actions with who does them, how far they are and until when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interventions.models import Action
from interventions.selectors.actions import ActionRow
from maps.pages import formats
from maps.pages.reader import language

MAX_ACTIONS: Final = 6
"""Actions that are printed; the rest are counted."""

MAX_TITLE: Final = 56


@dataclass(frozen=True, slots=True)
class ActionLine:
    """An action as it is printed."""

    title: str
    who: str
    state: str
    dates: str
    is_late: bool


def action_lines(actions: Sequence[ActionRow]) -> tuple[ActionLine, ...]:
    """Present the actions that are printed, in the order given."""
    lang = language()
    return tuple(
        ActionLine(
            _cut(each.title),
            _cut(each.organisation.name, 36),
            _state(each, lang),
            _("%(start)s to %(end)s")
            % {
                "start": formats.day_in_figures(each.starts_on, lang),
                "end": formats.day_in_figures(each.ends_on, lang),
            },
            each.is_late,
        )
        for each in actions
    )


def actions_rest(count: int) -> str:
    """Say how many more actions there are."""
    rest = count - MAX_ACTIONS
    if rest <= 0:
        return ""
    return ngettext(
        "%(n)s more action stands on the page “Who does what”.",
        "%(n)s more actions stand on the page “Who does what”.",
        rest,
    ) % {"n": formats.number(rest, language())}


def _state(each: ActionRow, lang: str) -> str:
    word = str(Action.State(each.state).label)
    if each.is_running and each.done_percent is not None:
        word = f"{word}, {formats.percent(each.done_percent / 100, lang)}"
    return _("%(state)s, late") % {"state": word} if each.is_late else word


def _cut(text: str, most: int = MAX_TITLE) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


__all__ = ["MAX_ACTIONS", "ActionLine", "action_lines", "actions_rest"]
