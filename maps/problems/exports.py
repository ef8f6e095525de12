"""Exports of layers, and the part of a raster that is asked for."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("A window can be cut out of a raster only."),
    gettext_noop("Leave it out; the rows within a box are at /ogc/."),
    gettext_noop("A worksheet holds %(most)s rows, and the release has %(rows)s."),
    gettext_noop("Choose csv, parquet or gpkg."),
    gettext_noop("A layer of this kind cannot be exported as “%(value)s”."),
    gettext_noop("The format %(format)s always holds longitude and latitude (EPSG:4326), not EPSG:%(epsg)s."),
    gettext_noop("Leave the reference system out, or choose one of: %(choices)s."),
    gettext_noop("People are told by squares in the raster's own reference system only, EPSG:%(epsg)s."),
    gettext_noop("Leave the reference system out."),
    gettext_noop("The window is not a box."),
    gettext_noop("The window is not four numbers."),
    gettext_noop("Give west,south,east,north in degrees."),
    gettext_noop("Give west,south,east,north in degrees, such as 48.2,33.4,48.4,33.6."),
    gettext_noop("The window lies beside the raster."),
    gettext_noop("Stay within %(bounds)s."),
    gettext_noop("The raster would have %(n)s million pixels."),
    gettext_noop("Ask for a window of it."),
    gettext_noop("Only %(done)s of %(of)s rows are there."),
    gettext_noop("Ask again; if it stays so, tell the administrator."),
    gettext_noop("EPSG:%(epsg)s does not hold where these data lie."),
    gettext_noop("Give 4326, or %(zone)s, the zone of UTM there."),
    gettext_noop("EPSG:%(epsg)s is not a system of two coordinates on a map."),
    gettext_noop("Give 4326, %(epsg)s, or the zone of UTM."),
    gettext_noop("An export has no parameter “%(parameter)s”."),
    gettext_noop("Leave it out; there are %(choices)s."),
    gettext_noop("“%(value)s” is not the code of a reference system."),
    gettext_noop("Give a code of the EPSG register, such as 4326 or 32639."),
    gettext_noop("“%(value)s” is not the number of a release."),
    gettext_noop("Give a number such as 3, or leave it out for the newest."),
    gettext_noop("Choose one from the list of layers."),
    gettext_noop("The layer “%(layer)s” has no release %(number)s."),
    gettext_noop("The layer “%(layer)s” is empty yet."),
    gettext_noop("Choose one from the list of its releases."),
    gettext_noop("The server is making %(most)s exports at this moment, as many as it makes at a time."),
    gettext_noop("Ask again in a minute."),
)
