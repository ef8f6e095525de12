"""What a page says when something was not done, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _

from geo.errors import MahallehError
from maps.pages import formats
from maps.pages.reader import language
from maps.problems import problem_of


def refusal_text(error: MahallehError) -> tuple[str, str]:
    """Say why something was not done, and what to do about it; an error without words here, as `maps.problems` does."""
    city = {"city": error.details.get("city", "")}
    most = {"n": formats.number(float(str(error.details.get("most", 0))), language())}
    texts = {
        "no_title": (
            _("It has no title"),
            _("Say in a few words what it shows: people who cannot see it hear this. Then choose the file again."),
        ),
        "no_file": (_("No file was chosen"), _("Choose a photo or a PDF document, or take a photo.")),
        "unsafe_type": (
            _("It is neither a photo nor a PDF document"),
            _("JPEG, PNG, WebP and PDF can be kept. What it is, is told by its content, not by its name."),
        ),
        "unreadable_file": (_("The file is damaged or cut off"), _("Open and save it anew, and choose it again.")),
        "file_too_large": (
            _("The file has more than %(n)s MB") % most,
            _("Make it smaller: a photo needs no more than 2048 pixels on its longer side."),
        ),
        "too_many_pixels": (
            _("The photo has more than %(n)s million pixels") % most,
            _("Make it smaller: no more than 2048 pixels on the longer side are kept."),
        ),
        "too_many_attachments": (
            _("There are %(n)s photos and documents here already") % most,
            _("Add only what says something new."),
        ),
        "may_not_attach": (
            _("You may not add photos or documents in %(city)s") % city,
            _("Ask the administrator for a role there."),
        ),
        "may_not_edit_layer": (
            _("You may not change the layers of %(city)s") % city,
            _("Ask the administrator for the role of analyst or planner there."),
        ),
        "stale_layer": (
            _("Somebody changed this description while you were writing"),
            _(
                "Nothing of yours was lost: it stands below, with what is there now where the two differ. Save again to put yours in its place."
            ),
        ),
        "layer_archived": (
            _("The layer is archived, and takes no further release"),
            _("Bring it back into the lists first, on its page."),
        ),
        "stale_release": (
            _("Another release was stored while you were looking"),
            _("Nothing was done. Below stands what would change now; decide again."),
        ),
        "same_release": (
            _("The newest release holds the same already"),
            _("There is nothing to bring back."),
        ),
        "key_in_use": (
            _("The key field cannot be changed any more"),
            _("Photos and documents hang on its values. Leave it as it is."),
        ),
    }
    if error.code in texts:
        return texts[error.code]
    told = problem_of(error)
    return told["title"], told.get("remedy", "")
