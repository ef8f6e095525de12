"""What is asked of the form of a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from analysis.core.reblocking import Goal
from analysis.forms import number

LIMITS: Final = {"narrowest_m": (0.0, 100.0), "path_width_m": (0.5, 40.0), "cost_per_m": (0.0, 1e12)}
"""Lowest and highest number that can be asked."""


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """What is asked of a place.

    Attributes
    ----------
    streets, buildings
        Codes of layers of the city: lines and polygons.
    width_field
        Of the streets, with their width in metres; where it tells nothing, the width is not known.
    narrowest_m
        Streets that are narrower give no access, such as 3 m where an ambulance must pass; of unknown width all do.
    goal
        Of new paths; empty for none.
    path_width_m, cost_per_m
        Of new paths.
    """

    streets: str = "roads"
    buildings: str = "buildings"
    width_field: str = "width_m"
    narrowest_m: float = 0.0
    goal: Goal | None = None
    path_width_m: float = 4.0
    cost_per_m: float = 0.0

    def of_form(self) -> dict[str, Any]:
        """Return what of it decides what is measured, whatever paths are looked for."""
        return {name: getattr(self, name) for name in ("streets", "buildings", "width_field", "narrowest_m")}


def question_check(asked: FormQuestion) -> None:
    """Refuse numbers that are out of range.

    Raises
    ------
    InvalidInput
        With the number's name.
    """
    for name, (low, high) in LIMITS.items():
        number(str(getattr(asked, name)), name, low, high)


__all__ = ["LIMITS", "FormQuestion", "question_check"]
