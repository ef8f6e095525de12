"""Outcomes: values entered and corrected, tables of them."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("Load the page again, and enter what you want to change."),
    gettext_noop("Leave it empty."),
    gettext_noop("The year %(year)s is out of range."),
    gettext_noop("Give a year of the Iranian calendar from %(low)s to %(high)s."),
    gettext_noop("“%(value)s” is no year of the Iranian calendar."),
    gettext_noop("Somebody has entered or corrected this value meanwhile."),
    gettext_noop("This value is in force no more."),
    gettext_noop("A value is corrected after it was entered."),
    gettext_noop("A target has no standard error."),
    gettext_noop("“%(value)s” is no standard error."),
    gettext_noop("Give a number from 0, in the unit of the indicator; leave it empty where it is not known."),
    gettext_noop("“%(value)s” is no number in range."),
    gettext_noop("Give a number in the unit of the indicator."),
    gettext_noop("“%(value)s” may be a thousand times what it seems."),
    gettext_noop("Write thousands without a comma, and decimals with a point."),
    gettext_noop("Row %(row)s gives the same value already."),
    gettext_noop("Leave one of the two out."),
    gettext_noop("The table has more than %(most)s characters."),
    gettext_noop("Bring it in parts, such as a county at a time."),
    gettext_noop("The table cannot be read."),
    gettext_noop("The table has no rows."),
    gettext_noop("Begin with a row of names of columns: %(names)s."),
    gettext_noop("Name the columns %(names)s."),
    gettext_noop("The table has two columns “%(value)s”."),
    gettext_noop("The row has no value."),
    gettext_noop("Give one, or leave the row out."),
    gettext_noop("“%(value)s” is the name of several places."),
    gettext_noop("“%(value)s” is no place here."),
    gettext_noop("Write the code of a place as its page shows it in the address."),
    gettext_noop("“%(value)s” is no indicator."),
    gettext_noop("Write the code or the name of an indicator as the page of what changed shows it."),
    gettext_noop("The source is missing."),
    gettext_noop("Say who counted or asked whom, and when."),
    gettext_noop("There is an error and no value."),
    gettext_noop("Give the value, or leave both empty."),
    gettext_noop("The workbook cannot be read."),
    gettext_noop("Save it again as .xlsx, copy its cells and put them into the box below, or save the sheet as CSV."),
    gettext_noop("The workbook is too large."),
    gettext_noop("The text of the file cannot be read."),
    gettext_noop("Save it as CSV in UTF-8."),
)
