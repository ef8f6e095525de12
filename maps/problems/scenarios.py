"""Changes that are tried on a city, and the scenarios that keep them."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("Changes are a list."),
    gettext_noop("Send [] for none."),
    gettext_noop("There are %(n)s changes, more than %(most)s."),
    gettext_noop("Make two scenarios of them."),
    gettext_noop("This is no kind of change."),
    gettext_noop("Send one of: %(choices)s."),
    gettext_noop("This change has no member “%(name)s”."),
    gettext_noop("It has: %(choices)s."),
    gettext_noop("This is not the code of a service."),
    gettext_noop("This is not a name of up to 40 letters, digits, hyphens and underscores."),
    gettext_noop("This is not the number of a facility."),
    gettext_noop("This is no kind of street."),
    gettext_noop("The street has %(n)s positions, more than %(most)s."),
    gettext_noop("Draw it in parts, or with fewer points."),
    gettext_noop("A street has two different positions or more."),
    gettext_noop("A position is longitude and latitude."),
    gettext_noop("This lies more than %(degrees)s degrees outside the city."),
    gettext_noop("Send longitude first, then latitude."),
    gettext_noop("This is not a number from %(low)s to %(high)s."),
    gettext_noop("This contradicts the change %(n)s of the same facility."),
    gettext_noop("Send one of the two."),
    gettext_noop("Only two states of the same places, people and services can be compared person by person."),
    gettext_noop("Two results or more of the same places and services can be compared."),
    gettext_noop("A question is an object."),
    gettext_noop("Send {} for the city's own."),
    gettext_noop("A question has no member “%(name)s”."),
    gettext_noop("Services are a list of codes."),
    gettext_noop("These are not numbers by the code of a service."),
    gettext_noop("This is not a code."),
    gettext_noop("The scenario was saved in version %(version)s meanwhile."),
    gettext_noop("Look at both versions, and save again on the newest one; what you sent is kept as your draft."),
    gettext_noop("You may not try changes to %(city)s."),
    gettext_noop("There is no scenario %(number)s here, or you may not see it."),
    gettext_noop("Choose one from the list of scenarios."),
    gettext_noop("“%(value)s” is not the number of a scenario."),
    gettext_noop("You may not change this scenario."),
    gettext_noop("Save it as one of your own."),
    gettext_noop("The scenario needs a name."),
    gettext_noop("Say in a few words what it is."),
    gettext_noop("Two different scenarios or more can be compared, or one with the city as it is."),
    gettext_noop("Give numbers such as now,3,5."),
    gettext_noop("“%(value)s” is not a %(name)s of a comparison."),
    gettext_noop("“%(value)s” is no step of a scenario."),
    gettext_noop("No more than %(most)s scenarios are compared at once."),
    gettext_noop("Compare some of them."),
    gettext_noop("The scenarios have no service in common."),
    gettext_noop("The scenarios differ in thresholds, weights or services too, not only in what would be built."),
    gettext_noop("The scenarios differ in the way of travel."),
    gettext_noop("The scenarios differ in how people are counted."),
    gettext_noop("The scenarios differ in the method of the index."),
    gettext_noop("The change %(n)s is left out: the city has no service “%(service)s” that you may see."),
    gettext_noop("The change %(n)s is left out: the layer %(layer)s does not have this facility any longer."),
    gettext_noop("This shows the scenario “%(name)s”, not the city as it is."),
    gettext_noop("The layer %(layer)s has a newer release than the scenario was made on."),
    gettext_noop(
        "%(service)s: %(n)s of the facilities moved or added stand on no street or on a barrier, and nobody reaches them."
    ),
    gettext_noop("%(service)s comes by a network: its capacity does not count."),
    gettext_noop("%(service)s: no facility has a capacity, so capacity does not count."),
    gettext_noop("%(service)s: %(n)s of %(total)s facilities have no capacity, and are taken to have room for all."),
    gettext_noop(
        "%(service)s: who finds no room at the nearest facility counts as without it; 1,000 people need %(n)s."
    ),
    gettext_noop("Drawn streets change nothing here, because nothing is measured along streets."),
)
