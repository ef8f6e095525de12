"""Photos and documents that people send, taken in and handed out by several pages; rights are asked before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Final

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from geo.errors import InvalidInput, LimitExceeded
from layers.services.files import MOST_BYTES

_FORM_BYTES: Final = 100_000
"""What a form takes besides its file."""


def size_required(request: HttpRequest) -> None:
    """Refuse what says of itself that it is too large, before anything of it is read.

    Raises
    ------
    LimitExceeded
        Where it is larger than a file and its form may be, or does not say how large it is in digits.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > MOST_BYTES + _FORM_BYTES:
        raise LimitExceeded(
            f"The file has more than {MOST_BYTES // 1_000_000} MB.",
            code="file_too_large",
            where="file",
            remedy="Make it smaller: a photo needs no more than 2048 pixels on its longer side.",
            details={"most": MOST_BYTES // 1_000_000},
        )


def takes_file(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view take a form with a file by POST, from people who are signed in; what is too large is refused before it is read.

    The token against forgery is part of the form: it is looked at last, since looking at it reads the form, and with it the file.
    """
    protected = csrf_protect(view)

    @csrf_exempt
    @require_POST
    @login_required
    @wraps(view)
    def sized(request: HttpRequest, *args: object, **options: object) -> HttpResponse:
        size_required(request)
        answer: HttpResponse = protected(request, *args, **options)
        return answer

    return sized


FILE_CHANGES: Final[Mapping[str, Mapping[str, bool]]] = {
    "archive": {"is_archived": True},
    "restore": {"is_archived": False},
    "publish": {"is_public": True},
    "hide": {"is_public": False},
}
"""What may be done with a photo or document, and which of its marks that sets."""


def file_change_from(request: HttpRequest) -> Mapping[str, bool]:
    """Return which marks of a photo or document a form wants set.

    Raises
    ------
    InvalidInput
        Where it says nothing that can be done.
    """
    asked = FILE_CHANGES.get(request.POST.get("do", ""))
    if asked is None:
        raise InvalidInput(
            "It is not said what to do with it.",
            code="bad_step",
            where="do",
            remedy=f"Choose one of {', '.join(FILE_CHANGES)}.",
        )
    return asked


def file_answer(
    request: HttpRequest, name: str, *, media_type: str, file_name: str, is_photo: bool
) -> HttpResponseBase | None:
    """Answer with a stored file that nothing is run from: photos are shown, documents saved; None where it is gone.

    Parameters
    ----------
    name : str
        Where it is in the file storage.
    file_name : str
        Its name for whoever saves it.
    """
    etag = f'"{name.rsplit("/", 1)[-1]}"'
    response: HttpResponseBase
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        try:
            opened = default_storage.open(name)
        except FileNotFoundError:
            return None
        response = FileResponse(opened, content_type=media_type)
        response["Content-Disposition"] = content_disposition_header(not is_photo, file_name) or ""
    response["ETag"] = etag
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-cache"  # rights are asked for each time; the bytes are not sent twice
    return response
