"""A refusal that only exports know."""

from __future__ import annotations

from geo.errors import MahallehError


class TooManyAtOnceError(MahallehError):
    """As many exports as the server makes at a time are being made."""

    default_code = "too_many_exports"
    status = 429
