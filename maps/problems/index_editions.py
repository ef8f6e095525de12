"""Publishing an index, and withdrawing it."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("You may not publish indices of %(city)s."),
    gettext_noop("The order of some places changes when something else does."),
    gettext_noop("Read which, and confirm that you have seen it."),
    gettext_noop("A reason is missing."),
    gettext_noop("Say why it is withdrawn."),
    gettext_noop("%(city)s has no published index %(n)s."),
    gettext_noop("Choose one from the list of published indices."),
    gettext_noop("A title is missing."),
    gettext_noop("Say in a sentence what was found."),
    gettext_noop("It is withdrawn already."),
    gettext_noop("Look at it as it is now."),
    gettext_noop("Not everybody may see the values of “%(code)s” in %(city)s, so it cannot be published."),
    gettext_noop("Leave it out, or make the layer or the places it is measured by public."),
)
