"""Writes of places, boundaries and change sets."""

from geo.db.shapes import to_geos, to_shapely
from geo.services.ancestry import PeopleOf
from geo.services.boundaries import boundary_approve
from geo.services.change_sets import change_set_save
from geo.services.edits import CodeTaken, Edit, Saved, StaleEdit, TopologyRefused, geometry_checked
from geo.services.findings import findings_of
from geo.services.places import PlaceSpec, assignments_put, place_put, places_import
from geo.services.restoring import boundary_restore, change_set_restore, city_of
from geo.services.reviewing import change_set_approve, change_set_propose, change_set_return, change_set_withdraw

__all__ = [
    "CodeTaken",
    "Edit",
    "PeopleOf",
    "PlaceSpec",
    "Saved",
    "StaleEdit",
    "TopologyRefused",
    "assignments_put",
    "boundary_approve",
    "boundary_restore",
    "change_set_approve",
    "change_set_propose",
    "change_set_restore",
    "change_set_return",
    "change_set_save",
    "change_set_withdraw",
    "city_of",
    "findings_of",
    "geometry_checked",
    "place_put",
    "places_import",
    "to_geos",
    "to_shapely",
]
