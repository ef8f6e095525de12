"""Proposals, assessments and decisions."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("The proposal belongs to another round."),
    gettext_noop("Make a new proposal in this round."),
    gettext_noop("A proposal that was handed in says when."),
    gettext_noop("The proposal answers no need."),
    gettext_noop("Choose at least one."),
    gettext_noop("Leave it out, or answer the need it was merged into."),
    gettext_noop("Choose an organisation that works there."),
    gettext_noop("“%(value)s” is no department: nobody could answer for it."),
    gettext_noop("Choose agencies, municipalities, the Red Crescent or the Relief Committee."),
    gettext_noop("“%(value)s” is not approved, or not any more."),
    gettext_noop("There is no proposal %(number)s here, or you may not see it."),
    gettext_noop("Choose one from the list of proposals."),
    gettext_noop("Only those who lead in the place of the round decide there."),
    gettext_noop("This is no place on the map."),
    gettext_noop("Give degrees of longitude, then of latitude."),
    gettext_noop("“%(value)s” is no step of a proposal."),
    gettext_noop("This proposal cannot be changed by you, or not any more."),
    gettext_noop("Only drafts and returned proposals are changed, by their organisation or the supervisor."),
    gettext_noop("The round has no budget."),
    gettext_noop("Type the sum that may be spent."),
    gettext_noop("Nothing is chosen."),
)
