"""The network: portfolios of proposals, overlaps, near-duplicates, gaps, change."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("Choose one from the page of the network."),
    gettext_noop("A value of the column is missing or out of range."),
    gettext_noop("The columns differ in length."),
    gettext_noop("The time limit must be above zero."),
    gettext_noop("A rule names a proposal that does not exist."),
    gettext_noop("A limit of money is below zero, or a ceiling below its floor."),
    gettext_noop("Proposals that must be chosen are excluded, or exclude each other."),
    gettext_noop("Free one of them."),
    gettext_noop("The proposals that must be chosen cost more than may be spent on them."),
    gettext_noop("Free one of them, or allow more money."),
    gettext_noop("Nothing that meets the floors was found in the time allowed."),
    gettext_noop("Allow more time, or lower a floor."),
    gettext_noop("These floors cannot be met together with the other rules."),
    gettext_noop("Lower one of them, or allow more money."),
    gettext_noop("An undertaking has no geometry, or no reach around its point or line."),
    gettext_noop("Give the area of its place, or a reach above zero."),
    gettext_noop("More than %(most)s pairs of undertakings overlap or are near to each other."),
    gettext_noop("Ask for fewer at once: one county, one sector or one year."),
    gettext_noop("Reach and span must be above zero, and the threshold from 0 to 1."),
    gettext_noop("The level must lie between 0 and 1."),
    gettext_noop("The correlation must lie between −1 and 1."),
)
