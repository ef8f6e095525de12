"""Refusals that only HTTP knows, beside those of `geo.errors`."""

from __future__ import annotations

from geo.errors import MahallehError


class NotSignedIn(MahallehError):
    """The request needs an account, or the name and password it carries are wrong."""

    default_code = "not_signed_in"
    status = 401


class NotAcceptable(MahallehError):
    """What was asked for has no such representation."""

    default_code = "not_acceptable"
    status = 406


class PreconditionFailed(MahallehError):
    """The write was based on a state of the resource that has changed since."""

    default_code = "stale"
    status = 412


class UnsupportedMedia(MahallehError):
    """The body is in a format this resource does not take."""

    default_code = "unsupported_media"
    status = 415


class PreconditionRequired(MahallehError):
    """The write does not say which state of the resource it is based on."""

    default_code = "if_match_missing"
    status = 428
