"""Ways of travel, the streets, heights and land cover that they are measured on, and sources of people."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("There is not one facility for each cell."),
    gettext_noop("“%(value)s” is not a way of travel."),
    gettext_noop("%(city)s has no data for the way of travel “%(value)s”."),
    gettext_noop("%(city)s has no source of population “%(value)s”."),
    gettext_noop("%(city)s has no source of population."),
    gettext_noop("Load a layer of people, and say that people are counted by it."),
    gettext_noop("The layer %(layer)s is no layer of the kind %(type)s."),
    gettext_noop("Streets are lines; elevation and land cover are rasters."),
    gettext_noop("The way of travel %(value)s has no layer to be measured on."),
    gettext_noop("Name the layer of streets (roads), or of land cover for surface."),
    gettext_noop("The layer %(layer)s has no field “%(field)s”."),
    gettext_noop("Name the field as the file does, and keep it among the layer's `fields`."),
    gettext_noop(
        "The city's own way of travel is measured on layers that you may not see; here it is a straight line."
    ),
    gettext_noop("There is no street in or around the city: nobody reaches anything along streets."),
    gettext_noop("The streets fall into %(parts)s parts; %(share)s %% of their length is not joined to the largest."),
    gettext_noop("Pieces of streets without length were left out: %(n)s."),
    gettext_noop("No elevation is set: walking is measured as on level ground."),
    gettext_noop(
        "The elevation is unknown at %(share)s %% of the points of streets: there, walking is measured as on level ground."
    ),
    gettext_noop(
        "The elevation is unknown on %(share)s %% of the land: there, walking is measured as on level ground."
    ),
    gettext_noop("%(people)s people live on a barrier, such as water, and reach nothing."),
    gettext_noop("%(people)s people live more than 500 m from every street and reach nothing."),
    gettext_noop("A few people live on a barrier, such as water, and reach nothing."),
    gettext_noop("A few people live more than 500 m from every street and reach nothing."),
    gettext_noop(
        "%(service)s: %(n)s of %(whole)s facilities stand on a barrier or far outside, and nobody reaches them."
    ),
    gettext_noop("%(service)s: %(n)s of %(whole)s facilities stand on no street, and nobody reaches them."),
    gettext_noop("Land cover of shape %(value)s does not fit %(cells)s cells."),
    gettext_noop("“%(value)s” is not a way of counting slopes."),
    gettext_noop("Elevations of shape %(value)s do not fit %(cells)s cells."),
    gettext_noop("An elevation is infinite."),
    gettext_noop("Use NaN where it is unknown."),
    gettext_noop("“%(value)s” is not a direction of walking."),
    gettext_noop("A cell cannot have %(n)s neighbours."),
    gettext_noop("Say 8 or 16."),
    gettext_noop("There is no service number %(number)s."),
    gettext_noop("The times are not of this surface."),
    gettext_noop("People do not fit the grid of the surface."),
    gettext_noop("A coordinate of a line is not finite."),
    gettext_noop("The cell of a street does not exist."),
    gettext_noop("The cell of a facility does not exist."),
    gettext_noop("The land cover class %(value)s has no speed."),
    gettext_noop("Give it a speed in km/h; 0 makes it a barrier."),
    gettext_noop("The land cover class %(value)s cannot have a speed of %(speed)s km/h."),
    gettext_noop("Give a number of km/h; 0 makes it a barrier."),
    gettext_noop("The points must be finite pairs of x and y."),
    gettext_noop("The distance to the street must be 0 m or more."),
    gettext_noop("Every edge needs a cost of 0 or more in both directions."),
    gettext_noop("Give inf where one may not go."),
    gettext_noop("A speed must be a finite number of km/h, 0 or more."),
    gettext_noop("A speed must be above 0 km/h."),
    gettext_noop("There are %(nodes)s nodes, but the heights have the shape %(value)s."),
    gettext_noop("Give one height for each node of the graph."),
    gettext_noop("The distance for joining vertices must be a number of metres, 0 or more."),
    gettext_noop("A one-way value must be -1, 0 or 1."),
    gettext_noop("Streets are lines, but this is a %(type)s."),
    gettext_noop("Choose a layer of lines."),
    gettext_noop("A coordinate of a street is not finite."),
    gettext_noop("There are %(lines)s lines, but %(name)s has the shape %(value)s."),
    gettext_noop("Give one value for each line."),
)
