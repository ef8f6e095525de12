"""What a reader asks of these pages and sends to them, read once and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import urlencode

from geo.core.text import normalise
from geo.errors import InvalidInput
from geo.models import ChangeSet

Step = Literal["propose", "approve", "return", "withdraw", "restore"]
STEPS: Final[tuple[Step, ...]] = ("propose", "approve", "return", "withdraw", "restore")


def _latin(text: str) -> str:
    """Write digits of any script as ASCII; separators stay."""
    return "".join(normalise(char) if char.isdigit() else char for char in text)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which change sets a list shows.

    Attributes
    ----------
    show : str
        ``open``, ``mine`` (waiting for the reader), a status, or ``all``.
    place : str
        Code of a place they touch; empty for any.
    page : int
        From 1.
    """

    show: str = "open"
    place: str = ""
    page: int = 1

    def query(self, **changes: str | int) -> str:
        """Return the query string of this list with some keys changed; defaults are left out."""
        state = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        values = {"show": state.show, "place": state.place, "page": str(state.page)}
        text = urlencode({k: v for k, v in values.items() if v and (k, v) not in (("show", "open"), ("page", "1"))})
        return f"?{text}" if text else "?"


SHOWN: Final = ("open", "mine", *ChangeSet.Status.values, "all")


def listing_from(parameters: Mapping[str, str]) -> Listing:
    """Read which change sets are asked for.

    Raises
    ------
    InvalidInput
        Where the choice is none of the page's.
    """
    show = parameters.get("show", "") or "open"
    if show not in SHOWN:
        raise InvalidInput(
            f"The list cannot be filtered by {show[:40]!r}.",
            code="bad_filter",
            where="show",
            remedy=f"Choose one of {', '.join(SHOWN)}.",
        )
    return Listing(show, parameters.get("place", "")[:80], max(number_from(parameters.get("page", "")) or 1, 1))


def number_from(text: str) -> int | None:
    """Read a whole number in any digits; None where there is none, or none that the database can hold."""
    latin = _latin(text.strip()[:20])
    if not re.fullmatch(r"[0-9]{1,18}", latin):
        return None
    return int(latin)


@dataclass(frozen=True, slots=True)
class StepAsked:
    """A step that somebody takes with a change set, and the version they looked at."""

    step: Step
    version: int
    comment: str
    acknowledged: tuple[str, ...]


def step_from(parameters: Mapping[str, str], acknowledged: list[str]) -> StepAsked:
    """Read a step.

    Raises
    ------
    InvalidInput
        Where it is none, or does not say which version it is about.
    """
    step, version = parameters.get("step", ""), number_from(parameters.get("version", ""))
    if step not in STEPS:
        raise InvalidInput(
            "The form does not say what to do.",
            code="bad_step",
            where="step",
            remedy=f"Choose one of {', '.join(STEPS)}.",
        )
    if version is None:
        raise InvalidInput(
            "The form does not say which version it is about.",
            code="no_version",
            where="version",
            remedy="Open the page again and decide there.",
        )
    found: Step = next(known for known in STEPS if known == step)
    comment = parameters.get("comment", "").replace("\r\n", "\n")
    return StepAsked(found, version, comment, tuple(acknowledged[:500]))
