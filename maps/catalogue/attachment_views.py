"""Photos and documents of rows: taken in, handed out under the reader's rights, put away."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.disclosure import is_insider
from analysis.selectors import city_get
from geo.errors import Forbidden, InvalidInput, LimitExceeded, NotFound
from geo.querysets import User
from layers.models import Attachment
from layers.services.attachments import (
    attachment_add,
    attachment_change,
    may_attach,
    stored_name,
    thumbnail_name,
)
from maps.catalogue import rows, selectors
from maps.catalogue.views import row_get, row_page
from maps.pages.files import file_answer, file_change_from, takes_file


@takes_file
def add(request: HttpRequest, city: str, layer: str, number: int) -> HttpResponse:
    """Take a photo or document about a row; what is too large is refused before anything of it is read."""
    place = city_get(city, request.user)
    of_row = selectors.layer_get(place, layer, request.user)
    row_get(of_row, number, insider=is_insider(request.user, place))
    if not may_attach(of_row, request.user):
        raise Forbidden(
            f"You may not add photos or documents in {place.name_en}.",
            code="may_not_attach",
            where=layer,
            remedy="Ask the administrator for a role there.",
            details={"city": place.name},
        )
    kept = {name: request.POST.get(name, "")[:300] for name in ("title", "keeps_location", "is_public")}
    try:
        file = request.FILES.get("photo") or request.FILES.get("file")
        if file is None:
            raise InvalidInput("No file was chosen.", code="no_file", where="file", remedy="Choose one.")
        _release, held, _columns = row_get(of_row, number, insider=True)
        attachment_add(
            layer=of_row,
            feature_key=rows.key_of(of_row, held),
            author=request.user,
            file=file,
            title=kept["title"],
            is_public=bool(kept["is_public"]),
            keeps_location=bool(kept["keeps_location"]),
        )
    except (InvalidInput, LimitExceeded) as error:
        return row_page(request, of_row, number, error, kept)
    messages.success(request, _("Added."))
    return redirect("layer-row", of_row.city.code, of_row.code, number)


def _get(attachment: UUID, user: User) -> Attachment:
    found: Attachment | None = (
        Attachment.objects.visible_to(user).select_related("layer__city").filter(pk=attachment).first()
    )
    if found is None:
        raise _none(attachment)
    return found


def _none(attachment: UUID) -> NotFound:
    return NotFound(
        "There is no such photo or document.",
        code="unknown_attachment",
        where=str(attachment),
        remedy="Look on the page of its layer.",
    )


@require_safe
def whole(request: HttpRequest, attachment: UUID) -> HttpResponseBase:
    """Answer with a document, or with a photo at the size for screens."""
    found = _get(attachment, request.user)
    return _answer(found, stored_name(found), request)


@require_safe
def small(request: HttpRequest, attachment: UUID) -> HttpResponseBase:
    """Answer with the small picture of a photo."""
    found = _get(attachment, request.user)
    if found.kind != Attachment.Kind.PHOTO:
        raise _none(attachment)
    return _answer(found, thumbnail_name(found), request)


def _answer(found: Attachment, name: str, request: HttpRequest) -> HttpResponseBase:
    is_photo = found.kind == Attachment.Kind.PHOTO
    response = file_answer(request, name, media_type=found.media_type, file_name=found.file_name, is_photo=is_photo)
    if response is None:
        raise _none(found.pk)
    return response


@require_POST
@login_required
def change(request: HttpRequest, attachment: UUID) -> HttpResponse:
    """Put a photo or document away or bring it back, show it to everybody or not."""
    found = _get(attachment, request.user)
    asked = file_change_from(request)
    attachment_change(found, request.user, is_public=asked.get("is_public"), is_archived=asked.get("is_archived"))
    messages.success(request, _("Done."))
    layer = found.layer
    release = selectors.release_get(layer, None)
    number = rows.rows_by_key(layer, release, [found.feature_key]).get(found.feature_key, (0, ""))[0] if release else 0
    if number:
        return redirect("layer-row", layer.city.code, layer.code, number)
    return redirect("layer", layer.city.code, layer.code)
