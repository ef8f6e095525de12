"""Blocks, parcels, passages, and new paths through settlements."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("The layer “%(code)s” has no building there."),
    gettext_noop("Name a layer of polygons of buildings."),
    gettext_noop("The place has %(buildings)s buildings, more than %(most)s."),
    gettext_noop("Choose a smaller place."),
    gettext_noop("A distance of %(n)s m is not possible."),
    gettext_noop("The settlement has no outline."),
    gettext_noop("Give a polygon that is not empty."),
    gettext_noop("Give the middle lines of streets."),
    gettext_noop("A coordinate of a street is not a finite number."),
    gettext_noop("The outline of a %(what)s is not a valid polygon."),
    gettext_noop("Draw or repair it: it must not be empty or cross itself."),
    gettext_noop("A pair of neighbours names a parcel that does not exist."),
    gettext_noop("%(homes)s numbers of homes do not fit %(parcels)s parcels."),
    gettext_noop("A number of homes is negative or not finite."),
    gettext_noop("The places of blocks do not fit the blocks."),
    gettext_noop("%(widths)s widths do not fit %(streets)s streets."),
    gettext_noop("A largest width of %(n)s m is not possible."),
    gettext_noop("The width %(n)s is negative or infinite."),
    gettext_noop("The area %(n)s is negative or infinite."),
    gettext_noop("Leave it missing if it is not known."),
    gettext_noop("There is no block %(n)s."),
    gettext_noop("The block has no parcels."),
    gettext_noop("Choose a block with buildings or plots."),
    gettext_noop("The numbers of homes do not fit the parcels, or are negative or not finite."),
    gettext_noop("No street that is connected to the outside touches the block."),
    gettext_noop("Draw the street that leads to it, or join its streets to the others."),
    gettext_noop("A tolerance of %(n)s m is not possible."),
    gettext_noop("Draw it with two positions or more."),
    gettext_noop("A width or a cost of a metre is negative or not finite."),
    gettext_noop("Plots overlap, in %(n)s places."),
    gettext_noop("Cut one of the two, or give a larger tolerance if the edges are drawn loosely."),
    gettext_noop("“%(value)s” is not a goal of reblocking."),
    gettext_noop("A detour of %(n)s times the straight line is not possible."),
    gettext_noop("Give a number above 1, such as 2."),
    gettext_noop("A seed of %(n)s is not possible."),
)
