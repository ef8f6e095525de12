"""The catalogue of layers: rows, editing, photos and documents."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("The file is neither a photo (JPEG, PNG, WebP) nor a PDF document."),
    gettext_noop("Save it as JPEG or PDF, and choose it again."),
    gettext_noop("The photo has more than %(most)s million pixels."),
    gettext_noop("Make it smaller: no more than 2048 pixels on the longer side are kept."),
    gettext_noop("The photo is damaged or cut off."),
    gettext_noop("The PDF document is cut off, or is none."),
    gettext_noop("Open and save it anew, and choose it again."),
    gettext_noop("You may not add photos or documents in %(city)s."),
    gettext_noop("Ask the administrator for a role there."),
    gettext_noop("The photo or document has no title, or one of more than 200 characters."),
    gettext_noop("Say in a few words what it shows."),
    gettext_noop("You may not change this photo or document."),
    gettext_noop("Ask an analyst or planner of the city."),
    gettext_noop("The file has more than %(most)s MB."),
    gettext_noop("Make it smaller: a photo needs no more than 2048 pixels on its longer side."),
    gettext_noop("There are %(most)s photos and documents here already."),
    gettext_noop("Add only what says something new."),
    gettext_noop("There is no such photo or document."),
    gettext_noop("Look on the page of its layer."),
    gettext_noop("It is not said what to do with it."),
    gettext_noop("No file was chosen."),
    gettext_noop("Choose one."),
    gettext_noop("You may not change the layers of %(city)s."),
    gettext_noop("Somebody changed the description of this layer meanwhile."),
    gettext_noop("Look at what it says now, and save again."),
    gettext_noop("Photos and documents hang on the values of the key field."),
    gettext_noop("Leave the key field as it is."),
    gettext_noop("The list of fields cannot be used."),
    gettext_noop("Give each field once, with its name as the data have it."),
    gettext_noop("What is said of the field “%(field)s” cannot be used."),
    gettext_noop("Give a text of at most %(most)s characters."),
    gettext_noop("The place in the table cannot be used."),
    gettext_noop("Begin with the first page, and go on from there."),
    gettext_noop("“%(value)s” is no number of a row."),
    gettext_noop("“%(value)s” is no number of a release."),
    gettext_noop("Give a whole number."),
    gettext_noop("The layer has no row %(row)s."),
    gettext_noop("Choose one of its columns."),
    gettext_noop("Choose one from the list of the city's data."),
    gettext_noop("The layer has no release %(number)s."),
)
