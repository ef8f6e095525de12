"""Actions of institutions: entered, changed, handed over, reported on, shown."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("The proposal is not accepted."),
    gettext_noop("Decide on it first, or enter the action."),
    gettext_noop("“%(value)s” is nothing that can be done to an action here."),
    gettext_noop("It would have been done before it was started."),
    gettext_noop("Give a day after the start."),
    gettext_noop("An action is handed over to another organisation."),
    gettext_noop("Choose another one."),
    gettext_noop("A sum is smaller than in the last report."),
    gettext_noop("Sums are since the beginning of the action. If the last one was wrong, say so in the text."),
    gettext_noop("Somebody has changed this action meanwhile."),
    gettext_noop("The day is in the future."),
    gettext_noop("Give today or an earlier one."),
    gettext_noop("The milestone is one of another action."),
    gettext_noop("Choose one of this action."),
    gettext_noop("The needs are of several sectors."),
    gettext_noop("Choose the one in which the work is done."),
    gettext_noop("The proposal does not say this day."),
    gettext_noop("The need %(number)s is not one that stands in this place."),
    gettext_noop("“%(name)s” is not approved."),
    gettext_noop("Approve it first."),
    gettext_noop("Evidence is of one need or of one action."),
    gettext_noop("Name one of the two."),
    gettext_noop("There is no action %(number)s here, or you may not see it."),
    gettext_noop("Choose one from the list of actions."),
    gettext_noop("There is no such proposal here, or you may not see it."),
    gettext_noop("Nobody is chosen."),
    gettext_noop("Choose the organisation."),
    gettext_noop("This is not a whole number in range."),
    gettext_noop("Give digits only, from 0 to %(most)s."),
    gettext_noop("Look on the page of its action."),
    gettext_noop("There is no such file."),
    gettext_noop("Choose format=csv or xlsx, and of one of %(choices)s."),
)
