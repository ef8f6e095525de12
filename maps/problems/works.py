"""Layers, services, and the rounds of needs and proposals."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("“%(value)s” is not a theme."),
    gettext_noop("The layer holds %(held)s and cannot take %(kind)s data."),
    gettext_noop("Give the new data a layer code of their own."),
    gettext_noop("The raster's reference system has no EPSG code."),
    gettext_noop("Name one when the file is read, or reproject it."),
    gettext_noop("“%(value)s” is not a service."),
    gettext_noop("No feature of the layer %(layer)s has %(values)s."),
    gettext_noop("Check the field's name and value; both must be written as in the file."),
    gettext_noop("Use the code of a service."),
    gettext_noop("A raster of people has no field."),
    gettext_noop("Leave `field` out."),
    gettext_noop("The layer %(layer)s has no field “%(field)s” with numbers of people."),
    gettext_noop("Name the field as the file does."),
    gettext_noop("Correct the value: zero or more."),
    gettext_noop("Correct it."),
    gettext_noop("Correct the name or code."),
    gettext_noop("The phase “%(phase)s” has no deadline."),
    gettext_noop("Give one."),
    gettext_noop("The deadline of the phase “%(phase)s” does not come after the opening of the round."),
    gettext_noop("The deadline of the phase “%(phase)s” does not come after that of the phase “%(other)s”."),
    gettext_noop("Give a later deadline."),
    gettext_noop("“%(event)s” is nothing that can be done here."),
    gettext_noop("Your roles in this place do not allow this."),
    gettext_noop("It takes one of the roles %(roles)s."),
    gettext_noop("This cannot be done any more: the state is “%(state)s”."),
    gettext_noop("There is nothing to change yet."),
    gettext_noop("Load the page again to see what has happened meanwhile."),
    gettext_noop("The deadline has passed."),
    gettext_noop("Ask the supervisor of the round to enter it."),
    gettext_noop("Give the time."),
    gettext_noop("The round is closed."),
    gettext_noop("Wait for the next round."),
    gettext_noop("%(lon)s, %(lat)s is not a longitude and a latitude."),
    gettext_noop("Give degrees, the longitude first."),
    gettext_noop("The point %(lon)s, %(lat)s lies more than %(distance)s m outside “%(place)s”."),
    gettext_noop("Mark it inside the place; the longitude comes first."),
    gettext_noop("A round of this programme is still open in this place."),
    gettext_noop("Close it first."),
    gettext_noop("A merger, and nothing else, names another need."),
    gettext_noop("Choose the other need."),
    gettext_noop("The other need is itself merged or rejected."),
    gettext_noop("Choose one that stands."),
    gettext_noop("The need %(need)s is not one that stands in this round."),
    gettext_noop("“%(organisation)s” does not work in “%(place)s”."),
)
