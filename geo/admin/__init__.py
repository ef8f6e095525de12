"""Admin of places, their boundary editions and people's roles."""

from geo.admin.boundaries import BoundaryAdmin
from geo.admin.places import AssignmentAdmin, ChangeSetAdmin, PlaceAdmin

__all__ = ["AssignmentAdmin", "BoundaryAdmin", "ChangeSetAdmin", "PlaceAdmin"]
