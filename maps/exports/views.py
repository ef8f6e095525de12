"""Downloads of layers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from layers import writing
from layers.models import Layer
from layers.writing import Export
from layers.writing.batches import digest_header
from maps.exports.errors import TooManyAtOnceError
from maps.exports.forms import Asked, asked_of
from maps.exports.presenters import export_form
from maps.exports.selectors import fields_of_few, layer_get, pixels_of_few, release_get, releases_of

Response = TypeVar("Response", bound=HttpResponseBase)
AT_ONCE: Final = 4
"""Exports that one server makes at a time: others shall still get their pages."""
_PIECE_BYTES: Final = 1 << 18
_free = threading.BoundedSemaphore(AT_ONCE)


@require_safe
def export(request: HttpRequest, city: str, layer: str) -> HttpResponseBase:
    """Answer with a layer as a download; without a format, with the form to choose one."""
    found = layer_get(city, layer, request.user)
    asked = asked_of(request.GET)
    if not asked.format:
        return _page(request, found)
    wanted = _wanted(request, found, asked)
    if request.method == "HEAD":
        return _named(HttpResponse(content_type=_media_type(wanted, asked)), wanted, asked)
    return _bare(wanted, asked) if asked.is_bare else _zip(wanted, asked)


@require_safe
def codebook_json(request: HttpRequest, city: str, layer: str) -> HttpResponse:
    """Answer with the codebook of an export, for programs."""
    book = _codebook(request, city, layer)
    return _kept_from_others(HttpResponse(writing.codebook_json(book), content_type="application/json"))


@require_safe
def codebook_csv(request: HttpRequest, city: str, layer: str) -> HttpResponse:
    """Answer with the codebook of an export, as a table."""
    book = _codebook(request, city, layer)
    response = HttpResponse(writing.codebook_csv(book), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{city}-{layer}-codebook.csv"'
    return _kept_from_others(response)


def _wanted(request: HttpRequest, layer: Layer, asked: Asked) -> Export:
    release = release_get(layer, asked.release, request.user)
    return writing.export_of(
        release,
        format=asked.format,
        epsg=asked.epsg,
        below=fields_of_few(layer, request.user),
        pixels_below=pixels_of_few(layer, request.user),
        window_4326=asked.window_4326,
    )


def _codebook(request: HttpRequest, city: str, layer: str) -> dict[str, Any]:
    found = layer_get(city, layer, request.user)
    asked = asked_of(request.GET)
    usual = "cog" if found.kind == Layer.Kind.RASTER else "gpkg"
    wanted = _wanted(request, found, Asked(asked.format or usual, asked.epsg, asked.release, False, asked.window_4326))
    with _Turn():
        return writing.codebook_alone(wanted)


def _page(request: HttpRequest, layer: Layer) -> HttpResponse:
    releases = releases_of(layer, request.user)
    context = {"city": layer.city, "layer": layer, "export": export_form(layer, releases)}
    return _kept_from_others(render(request, "maps/exports/page.html", context))


def _zip(wanted: Export, asked: Asked) -> HttpResponseBase:
    response = StreamingHttpResponse(_Sent(wanted), content_type="application/zip")
    response["X-Accel-Buffering"] = "no"
    return _named(response, wanted, asked)


def _bare(wanted: Export, asked: Asked) -> HttpResponseBase:
    """Answer with the data alone; they are complete before the first byte goes, so that their hash can be said."""
    with ExitStack() as stack:
        stack.enter_context(_Turn())
        folder = stack.enter_context(writing.export_folder())
        made = writing.bare_file(wanted, folder)
        # Opened here: what is open can be read to its end when its name is gone.
        file = _Opened(made.path)
    response = StreamingHttpResponse(file, content_type=_media_type(wanted, asked))
    response["Content-Length"] = str(file.size)
    response["Repr-Digest"] = digest_header(made.sha256)
    return _named(response, wanted, asked)


def _media_type(wanted: Export, asked: Asked) -> str:
    return wanted.form.media_type if asked.is_bare else "application/zip"


def _named(response: Response, wanted: Export, asked: Asked) -> Response:
    name = f"{wanted.stem}{wanted.form.suffix}" if asked.is_bare else f"{wanted.stem}-{wanted.form.code}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    # What is compressed already is not compressed again on its way; nor is a hash of the bytes to be made wrong.
    response["Content-Encoding"] = "identity"
    return _kept_from_others(response)


def _kept_from_others(response: Response) -> Response:
    """Keep an answer, which depends on the reader, out of caches that several share."""
    response["Cache-Control"] = "private, no-cache"
    return response


class _Turn:
    """One of the exports that are made at a time."""

    def __init__(self) -> None:
        self._is_held = False

    def __enter__(self) -> _Turn:
        if not _free.acquire(blocking=False):
            raise TooManyAtOnceError(
                f"The server is making {AT_ONCE} exports at this moment, as many as it makes at a time.",
                remedy="Ask again in a minute.",
                details={"most": AT_ONCE},
            )
        self._is_held = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_held:
            self._is_held = False
            _free.release()


class _Opened:
    """The pieces of a file. Closed at its end, when the reader goes away, and when nobody asks for the next one."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._file).st_size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = os.read(self._file, _PIECE_BYTES) if self._file >= 0 else b""
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        self.close()


class _Sent:
    """The pieces of a zip. Closed by the server at the end and when the reader goes away, also before the first piece."""

    def __init__(self, wanted: Export) -> None:
        self._pieces = writing.zip_stream(wanted)
        self._turn = _Turn()
        self._turn.__enter__()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """End the writing, remove what was written, and let the next one in."""
        try:
            self._pieces.close()
        finally:
            self._turn.__exit__()

    def __del__(self) -> None:
        self.close()
