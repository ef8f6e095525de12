"""Rounds and needs."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("This is no date."),
    gettext_noop("Write the year, the month and the day, such as ۱۴۰۵/۰۱/۳۱ or 2026-04-20."),
    gettext_noop("There is no such day in the calendar."),
    gettext_noop("Look at the month: the twelfth of a Jalali year has 29 days in most years."),
    gettext_noop("There is no such time of day."),
    gettext_noop("Write hours and minutes, such as 23:59."),
    gettext_noop("There is no need %(number)s here, or you may not see it."),
    gettext_noop("Choose one from the list of needs."),
    gettext_noop("There is no round %(number)s here, or you may not see it."),
    gettext_noop("Choose one from the list of rounds."),
    gettext_noop("This is no sum of rials."),
    gettext_noop("Write it in digits, without a unit."),
    gettext_noop("Until when is not said."),
    gettext_noop("Give a date."),
    gettext_noop("No organisation is chosen."),
    gettext_noop("“%(value)s” is no step of a round."),
    gettext_noop("No programme is chosen."),
    gettext_noop("You may not see the needs and proposals of %(city)s."),
    gettext_noop("There is no such choice here, or you may not see it."),
    gettext_noop("Choose one of those offered."),
    gettext_noop("This need cannot be amended by you, or not any more."),
    gettext_noop("Only a reported need is amended, in time, by its organisation or the supervisor."),
    gettext_noop("No other need is chosen."),
    gettext_noop("Choose the one that says the same."),
    gettext_noop("The report has no ticket."),
    gettext_noop("Name it by a UUID of its own."),
)
