"""Places, their boundary editions, the changes made to them, and who may do what where."""

from geo.models.boundaries import Boundary
from geo.models.change_sets import ChangeSet, Review
from geo.models.changes import Change, Descent
from geo.models.drafts import Presence, WorkingCopy
from geo.models.places import RESERVED_CODES, Assignment, Place

__all__ = [
    "RESERVED_CODES",
    "Assignment",
    "Boundary",
    "Change",
    "ChangeSet",
    "Descent",
    "Place",
    "Presence",
    "Review",
    "WorkingCopy",
]
