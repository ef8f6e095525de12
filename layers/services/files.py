"""Photos and documents that people send, made harmless before they are kept: of what they are about, nothing is known here.

Of a photo nothing is kept but its pixels, drawn anew: no camera data, no place, no comments, nothing hidden behind them. Where
it was taken is kept only if the person asks for that, and then in the record, never in the file.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import ExifTags, Image, ImageFile, ImageOps

from geo.core.text import clean_name
from geo.errors import InvalidInput, LimitExceeded

MOST_BYTES: Final = 20_000_000
MOST_PIXELS: Final = 50_000_000

WEB_PX: Final = 2048
THUMBNAIL_PX: Final = 320
"""Longer sides of the two pictures that are made of a photo."""

JPEG: Final = "image/jpeg"
PDF: Final = "application/pdf"

_PICTURES: Final = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
_PDF_END: Final = re.compile(rb"startxref\s+\d+\s+%%EOF")


class Incoming(Protocol):
    """A file as it arrives."""

    name: str | None

    def read(self, size: int = -1, /) -> bytes:
        """Return its next bytes."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is stored of a file; ``is_photo`` where it is no document."""

    is_photo: bool
    media_type: str
    data: bytes
    thumbnail: bytes | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None

    @property
    def sha256(self) -> str:
        """The hash of its bytes, by which it is named."""
        return hashlib.sha256(self.data).hexdigest()


def title_required(title: str) -> str:
    """Return what a photo or document shows, in words for people who cannot see it.

    Raises
    ------
    InvalidInput
        Where nothing is said, or too much.
    """
    said = clean_name(title)
    if not said or len(said) > 200:
        raise InvalidInput(
            "The photo or document has no title, or one of more than 200 characters.",
            code="no_title",
            where="title",
            remedy="Say in a few words what it shows.",
        )
    return said


def file_name(folder: str, sha256: str, media_type: str) -> str:
    """Return where a file is in the file storage: a folder for what it is about, a name by content."""
    return f"{folder}/{sha256}.{'pdf' if media_type == PDF else 'jpg'}"


def thumbnail_file_name(folder: str, sha256: str) -> str:
    """Return where the small picture of a photo is in the file storage."""
    return f"{folder}/{sha256}-{THUMBNAIL_PX}.jpg"


def file_write(folder: str, kept: KeptFile) -> None:
    """Write a file, and the small picture of a photo, into a folder of the file storage: the last step of a transaction.

    Where a file cannot be written there is no record either; a file without a record is found
    by nobody.
    """
    _write(file_name(folder, kept.sha256, kept.media_type), kept.data)
    if kept.thumbnail is not None:
        _write(thumbnail_file_name(folder, kept.sha256), kept.thumbnail)


def plain_name(name: str, kept: KeptFile) -> str:
    """Return a name for whoever saves the file: of its owner's words, with the ending that it has by its content."""
    last = re.split(r"[\\/]", name)[-1]
    stem = re.sub(r"[^\w\-. ()]+", "_", clean_name(last.rsplit(".", 1)[0])).strip("._ ")[:120]
    return f"{stem or ('photo' if kept.is_photo else 'document')}.{'pdf' if kept.media_type == PDF else 'jpg'}"


def _write(name: str, data: bytes) -> None:
    if not default_storage.exists(name):  # named by content: what is there is the same
        default_storage.save(name, ContentFile(data))


def file_kept(file: Incoming, *, keeps_location: bool = False) -> KeptFile:
    """Return what is kept of a photo (JPEG, PNG, WebP) or a document (PDF); what it is, is told by its content.

    Raises
    ------
    LimitExceeded
        Where the file or the picture is too large.
    InvalidInput
        Where it is no such file, or cannot be read.
    """
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise LimitExceeded(
            f"The file has more than {MOST_BYTES // 1_000_000} MB.",
            code="file_too_large",
            where="file",
            remedy="Make it smaller: a photo needs no more than 2048 pixels on its longer side.",
            details={"most": MOST_BYTES // 1_000_000},
        )
    if data.startswith(b"%PDF-"):
        return _document(data)
    for picture_format, start in _PICTURES.items():
        if data.startswith(start) and (picture_format != "WEBP" or data[8:12] == b"WEBP"):
            return _photo(data, picture_format, keeps_location)
    raise InvalidInput(
        "The file is neither a photo (JPEG, PNG, WebP) nor a PDF document.",
        code="unsafe_type",
        where="file",
        remedy="Save it as JPEG or PDF, and choose it again.",
    )


def _document(data: bytes) -> KeptFile:
    if not _PDF_END.search(data[-2048:]):
        raise _unreadable("The PDF document is cut off, or is none.")
    return KeptFile(False, PDF, data)


def _photo(data: bytes, picture_format: str, keeps_location: bool) -> KeptFile:
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint, where it was imported, has it otherwise
    try:
        with Image.open(io.BytesIO(data), formats=[picture_format]) as opened:
            _pixels_required(opened.size)
            camera = _camera_data(opened, keeps_location)
            opened.draft("RGB", (WEB_PX, WEB_PX))  # a JPEG is decoded no larger than needed
            opened.load()
            web = _fitted(_bare(opened, camera.turn), WEB_PX)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, MemoryError) as error:
        raise _unreadable("The photo is damaged or cut off.") from error
    lon, lat = camera.place or (None, None)
    return KeptFile(
        True,
        JPEG,
        _jpeg(web, 85),
        _jpeg(_fitted(web, THUMBNAIL_PX), 80),
        web.width,
        web.height,
        camera.taken_at,
        lon,
        lat,
    )


def _pixels_required(size: tuple[int, int]) -> None:
    """Refuse a picture by what it says of its size, before anything of it is unpacked."""
    if size[0] * size[1] > MOST_PIXELS or max(size) > 30_000:
        raise _too_many_pixels()


def _too_many_pixels() -> LimitExceeded:
    return LimitExceeded(
        f"The photo has more than {MOST_PIXELS // 1_000_000} million pixels.",
        code="too_many_pixels",
        where="file",
        remedy="Make it smaller: no more than 2048 pixels on the longer side are kept.",
        details={"most": MOST_PIXELS // 1_000_000},
    )


def _unreadable(message: str) -> InvalidInput:
    return InvalidInput(
        message, code="unreadable_file", where="file", remedy="Open and save it anew, and choose it again."
    )


def _bare(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    """Return the pixels alone, turned as the camera was held, on white where they are clear."""
    turned = image.transpose(turn) if turn is not None else image
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        clear = turned.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    return turned.convert("RGB")


def _fitted(image: Image.Image, side_px: int) -> Image.Image:
    return ImageOps.contain(image, (side_px, side_px)) if max(image.size) > side_px else image


def _jpeg(image: Image.Image, quality: int) -> bytes:
    bare = Image.new("RGB", image.size)
    bare.paste(image)  # nothing but pixels: what hangs on the old picture is written by nobody
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _CameraData:
    """What is taken from a camera's words; the rest of them is dropped."""

    turn: Image.Transpose | None = None
    taken_at: datetime | None = None
    place: tuple[float, float] | None = None


_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _camera_data(image: Image.Image, keeps_location: bool) -> _CameraData:
    """Return how the camera was held, when, and where if that is wanted; nothing where its words make no sense."""
    try:
        exif = image.getexif()
        turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
        taken = _moment(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal))
    except Exception:  # noqa: BLE001 - whatever a broken block of camera data does, the photo is as good without it
        return _CameraData()
    try:
        place = _place(exif.get_ifd(ExifTags.IFD.GPSInfo)) if keeps_location else None
    except Exception:  # noqa: BLE001 - as above
        place = None
    return _CameraData(turn, taken, place)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.strptime(str(text).strip("\x00 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    aware = timezone.make_aware(moment)
    return aware if moment.year >= 1900 and aware <= timezone.now() else None


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    def degrees(value: Any, side: Any, negative: str) -> float:
        d, m, s = (float(part) for part in value)
        return (d + m / 60 + s / 3600) * (-1 if str(side).upper().startswith(negative) else 1)

    if ExifTags.GPS.GPSLatitude not in gps or ExifTags.GPS.GPSLongitude not in gps:
        return None
    lat = degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef, "N"), "S")
    lon = degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef, "E"), "W")
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        return None
    return round(lon, 6), round(lat, 6)
