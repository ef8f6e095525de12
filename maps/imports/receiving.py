"""A file comes in: to the disk as it comes, counted and hashed on the way, nothing of it kept in memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from geo.errors import InvalidInput, LimitExceeded
from layers.services.uploads import Received, incoming_folder
from maps.errors import UnsupportedMedia

FIELD: Final = "file"
FORM_BYTES: Final = 200_000
"""What the other parts of the form may weigh."""
_SPARE_BYTES: Final = 500_000_000
"""What must stay free on the disk."""


class Receiving(FileUploadHandler):
    """Writes the part ``file`` of a form into the folder of incoming files; other files are passed over."""

    chunk_size = 1 << 20

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.received: Received | None = None
        self.is_too_large = self.is_disk_full = False
        self._part: BinaryIO | None = None
        self._path = Path()

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        """Begin with a part of the form."""
        super().new_file(field_name, *args, **kwargs)
        if field_name != FIELD or self._part is not None or self.received is not None:
            raise SkipFile
        handle, name = tempfile.mkstemp(prefix="part-", dir=incoming_folder())
        self._part, self._path = os.fdopen(handle, "wb"), Path(name)
        self._digest, self._size = hashlib.sha256(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take what has come."""
        if self._part is None:
            return
        self._size += len(raw_data)
        if self._size > settings.UPLOAD_MAX_BYTES:
            self.is_too_large = True
            raise StopUpload(connection_reset=True)
        self._digest.update(raw_data)
        try:
            self._part.write(raw_data)
        except OSError as error:
            self.is_disk_full = True
            raise StopUpload(connection_reset=True) from error

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """Say that the part is whole."""
        if self._part is None or self.received is not None:
            return None
        self._part.flush()
        os.fsync(self._part.fileno())
        self._part.close()
        self.received = Received(self._path, str(self.file_name or ""), self._size, self._digest.hexdigest())
        return None

    def discard(self) -> None:
        """Remove what came, unless somebody took it."""
        if self._part is not None:
            self._part.close()
            self._path.unlink(missing_ok=True)

    def upload_interrupted(self) -> None:
        """Remove what came."""
        self.discard()


class _Form(MultiPartParser):
    """Reads a form; a file's name stays as it was sent, with the joiners without width that Persian is written with.

    It is shown, and never a path: see `layers.services.upload_folders`.
    """

    def sanitize_file_name(self, file_name: str) -> str | None:
        """Return the name; None where there is none."""
        return file_name if super().sanitize_file_name(file_name) else None


def announced_required(request: HttpRequest) -> None:
    """Refuse what is no form with a file, or says that it is too large, before anything of it is read.

    Raises
    ------
    UnsupportedMedia, LimitExceeded, InvalidInput
        Where it is.
    """
    if request.content_type != "multipart/form-data":
        raise UnsupportedMedia(
            "The body is not a form with a file.", where="Content-Type", remedy="Send multipart/form-data."
        )
    said = request.META.get("CONTENT_LENGTH") or ""
    if not said.isdecimal():
        raise InvalidInput(
            "The request does not say how long it is.",
            code="no_length",
            where="Content-Length",
            remedy="Send the header Content-Length.",
        )
    if int(said) > settings.UPLOAD_MAX_BYTES + FORM_BYTES:
        raise _too_large()
    folder = os.statvfs(incoming_folder())
    if folder.f_bavail * folder.f_frsize < int(said) + _SPARE_BYTES:
        raise _no_room()


def received_form(request: HttpRequest) -> tuple[Receiving, dict[str, str]]:
    """Read a form with a file; the file is on the disk then, and the caller's to take or to discard.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where the form is broken, has no file, or a part of it is too large; nothing is left on the disk then.
    """
    handler = Receiving(request)

    def parsed(meta: Any, body: Any) -> tuple[Any, Any]:
        return _Form(meta, body, [handler], request.encoding).parse()

    request.parse_file_upload = parsed  # type: ignore[assignment, method-assign]
    try:
        texts = {str(name): str(value) for name, value in request.POST.items()}
    except RequestDataTooBig as error:
        handler.discard()
        raise LimitExceeded(
            "A part of the form besides the file is too large.", where="body", remedy="Send less of it."
        ) from error
    except (MultiPartParserError, UnreadablePostError, SuspiciousOperation, BadRequest, ValueError) as error:
        handler.discard()
        raise InvalidInput(
            "The form broke off, or cannot be read.", code="bad_form", where="body", remedy="Send it again."
        ) from error
    except OSError as error:
        handler.discard()
        raise _no_room() from error
    if handler.is_too_large or handler.is_disk_full:
        handler.discard()
        raise _too_large() if handler.is_too_large else _no_room()
    if handler.received is None or not handler.received.size:
        handler.discard()
        what = "The file is empty (0 bytes)." if handler.received is not None else "No file was sent."
        raise InvalidInput(what, code="no_file", where=FIELD, remedy="Choose a file.")
    return handler, texts


def _too_large() -> LimitExceeded:
    most = settings.UPLOAD_MAX_BYTES // 1_000_000
    return LimitExceeded(
        f"The file is larger than {most:,} MB.",
        code="file_too_large",
        where=FIELD,
        remedy="Split it by area, or leave out layers and attributes that are not needed.",
        details={"most_mb": most},
    )


def _no_room() -> LimitExceeded:
    return LimitExceeded(
        "There is no room for the file at this moment.",
        code="no_room",
        where=FIELD,
        remedy="Try again later, or tell the administrator.",
    )
