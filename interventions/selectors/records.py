"""What kind of record something is, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import models

from analysis.models import IndicatorValue
from geo.models import Place
from interventions.models import (
    Action,
    Activation,
    Assessment,
    Capacity,
    Committee,
    Council,
    LogEntry,
    Membership,
    Need,
    Organisation,
    Proposal,
    Round,
    WeightSet,
)

_SUBJECTS: Final[Mapping[type[models.Model], LogEntry.Subject]] = {
    Organisation: LogEntry.Subject.ORGANISATION,
    Membership: LogEntry.Subject.MEMBERSHIP,
    Committee: LogEntry.Subject.COMMITTEE,
    Council: LogEntry.Subject.COUNCIL,
    Activation: LogEntry.Subject.ACTIVATION,
    Round: LogEntry.Subject.ROUND,
    Need: LogEntry.Subject.NEED,
    Capacity: LogEntry.Subject.CAPACITY,
    WeightSet: LogEntry.Subject.WEIGHTS,
    Proposal: LogEntry.Subject.PROPOSAL,
    Assessment: LogEntry.Subject.ASSESSMENT,
    Action: LogEntry.Subject.ACTION,
    IndicatorValue: LogEntry.Subject.OUTCOME,
}


def subject_of(record: models.Model) -> str:
    """Return the word for a kind of record: the key of its machine, and what the log calls it."""
    return str(_SUBJECTS[type(record)].value)


def place_of(record: Any) -> Place:
    """Return the place in which rights on a record are asked, and by which it is found in the log."""
    for step in ("place", "city", "round", "proposal", "organisation"):
        if hasattr(record, f"{step}_id"):
            found = getattr(record, step)
            return found if isinstance(found, Place) else place_of(found)
    raise TypeError(f"{type(record).__name__} lies in no place")
