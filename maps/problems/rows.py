"""The rows of a file: mapping of fields, codes of places, coordinates, rows that are there twice."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("“%(unit)s” cannot be converted to “%(other)s”."),
    gettext_noop("Units are %(units)s; both must measure the same."),
    gettext_noop("The attribute is to be of type %(type)s, which has no unit."),
    gettext_noop("Choose the type number, or leave the units out."),
    gettext_noop("Two attributes would be called %(name)s."),
    gettext_noop("Give one of them another name, or leave it out."),
    gettext_noop("The value “%(value)s” is not %(wanted)s."),
    gettext_noop("Correct it, empty it, or choose another type for the attribute."),
    gettext_noop("%(n)s of %(rows)s rows lie far from the city; the first is at %(lon)s, %(lat)s."),
    gettext_noop("All %(n)s rows lie outside the range of %(crs)s; the first has (%(x)s, %(y)s)."),
    gettext_noop("%(n)s of %(rows)s rows lie far outside the area %(crs)s (%(name)s) is made for."),
    gettext_noop("%(n)s of %(rows)s rows are of another kind (the first is a %(type)s); the layer holds %(kind)ss."),
    gettext_noop("The coordinates seem to be in feet."),
    gettext_noop("x and y seem to be exchanged."),
    gettext_noop("Write the longitude first (x), then the latitude (y), or have them exchanged with %(option)s."),
    gettext_noop("As %(crs)s they would lie near the city: read the file with %(option)s."),
    gettext_noop("As %(crs)s they would lie in the city: read the file with %(option)s."),
    gettext_noop("The row is the same as row %(row)s in everything."),
    gettext_noop("Delete one of them."),
    gettext_noop("The row has exactly the geometry of row %(row)s."),
    gettext_noop("Delete one of them, or draw them apart."),
    gettext_noop("%(n)s rows are exactly where another row is: row %(row)s is where row %(other)s is."),
    gettext_noop("Check that they are different things."),
    gettext_noop("The row has the name of row %(row)s, and is at its place within some metres."),
    gettext_noop("Delete one of them if they are the same thing."),
    gettext_noop("The worksheet cannot be read."),
    gettext_noop("Save it again as .xlsx, or export it as CSV."),
    gettext_noop("There is no place “%(place)s”."),
    gettext_noop("The place is not named."),
    gettext_noop("Write its name or code as the city's places have it; or leave such rows out with %(option)s."),
    gettext_noop("Layer “%(layer)s” has nothing called “%(place)s”."),
    gettext_noop("The row names nothing of the layer."),
    gettext_noop("Write its name as the layer has it; or leave such rows out with %(option)s."),
    gettext_noop("%(n)s things are called “%(place)s”, so it stands for none of them."),
    gettext_noop("Write the code of the one that is meant, or its name as nothing else is called; or delete the row."),
    gettext_noop("The row of “%(place)s” has no partner, and is left out."),
    gettext_noop("“%(value)s” is no number, and cannot be added up."),
    gettext_noop("Leave “%(field)s” out of %(option)s."),
    gettext_noop(
        "“%(field)s” differs among the rows that are added up, for %(n)s of %(rows)s things, and is left empty there."
    ),
    gettext_noop("Leave the column out."),
    gettext_noop("%(n)s things have several rows, %(rows)s in all, and would be stored as often."),
    gettext_noop("If the rows are parts of a whole, such as ages, have them added up with %(option)s."),
    gettext_noop("%(city)s has no layer “%(layer)s” with features to join to."),
    gettext_noop("Choose another layer, or join to the places of the city."),
    gettext_noop("Layer “%(layer)s” has %(n)s features, more than the %(most)s that a table can be joined to."),
    gettext_noop("Its columns are %(names)s; name another with %(option)s."),
    gettext_noop(
        "Name them with %(x_option)s and %(y_option)s, name a column with codes or names of places with %(code_option)s, or call them lon and lat."
    ),
    gettext_noop("The text is not in UTF-8, which GeoJSON must be: near %(text)s."),
)
