"""Photos and documents that people send, taken in and handed out by several pages; rights are asked before."""

from __future__ import annotations

from typing import Final

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from geo.errors import LimitExceeded
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
