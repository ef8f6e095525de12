"""Forms as they were typed: what is wrong stands beside its field, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from geo.errors import InvalidInput, MahallehError
from maps.pages.dates import deadline_typed
from maps.problems import problem_of

_STEP = re.compile(r"[.,]\s*")


@dataclass
class Typed:
    """A form as it was typed, and what is wrong with it by field; ``""`` is the form as a whole."""

    values: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, list[str]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def refuse(self, error: MahallehError) -> None:
        """Note what a service or a reader of a field refused, beside the field that it names."""
        told = problem_of(error)
        sentence = " ".join(str(told[name]) for name in ("title", "remedy") if told.get(name))
        # Of what is wrong inside a field, the field; what is marked on the map is called a point where it lies elsewhere.
        steps = ("geometry" if step == "point" else step for step in reversed(_STEP.split(error.where)))
        name = next((step for step in steps if step in self.values or step in self.lists), "")
        self.wrong.setdefault(name, sentence)

    def deadline(self, name: str) -> datetime | None:
        """Read a deadline; None where none is typed or it is wrong, which is noted."""
        text = self.values.get(name, "").strip()
        if not text:
            return None
        try:
            return deadline_typed(text, name)
        except InvalidInput as error:
            self.refuse(error)
            return None
