"""Organisations, members, councils and capacities, as their pages ask for them."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("Choose one person at least."),
    gettext_noop("Choose one at least."),
    gettext_noop("More than %(most)s people are named at once."),
    gettext_noop("Take them in parts."),
    gettext_noop("“%(value)s” is nothing that can be done to a capacity here."),
    gettext_noop("“%(value)s” is nothing that can be done to a council here."),
    gettext_noop("Somebody has amended this capacity meanwhile."),
    gettext_noop("There is no organisation “%(name)s” here, or you may not see it."),
    gettext_noop("Choose one from the list of organisations."),
    gettext_noop("There is no capacity %(number)s here, or you may not see it."),
    gettext_noop("Choose one from the list of capacities."),
    gettext_noop("The name is missing."),
    gettext_noop("Write it, in this language too."),
    gettext_noop("The table is empty."),
    gettext_noop("Write one person a line."),
    gettext_noop("Line %(row)s: there is no account “%(name)s”."),
    gettext_noop("There is no account “%(name)s”."),
    gettext_noop("Write the name by which the person signs in. An administrator makes accounts."),
    gettext_noop("Line %(row)s: this person stands in line %(other)s already."),
    gettext_noop("Take one of the lines out."),
    gettext_noop("Line %(row)s: there is no place “%(name)s” where the organisation works."),
    gettext_noop("Write its name or its code as it stands on the map."),
    gettext_noop("“%(value)s” is none of the choices of this page."),
    gettext_noop("You are no member of this organisation."),
    gettext_noop("There is nothing to end."),
    gettext_noop("This organisation cannot be amended by you, or not any more."),
    gettext_noop("The supervisor of its place amends it while it waits or works."),
    gettext_noop("This capacity cannot be amended by you, or not any more."),
    gettext_noop("The organisation that recorded it, or the supervisor, amends it."),
)
