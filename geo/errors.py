"""The errors of the whole service: each says what is wrong, where, and what to do about it.

One table in the web layer turns these classes into HTTP statuses, so a bad input never becomes a traceback.
"""

from collections.abc import Mapping, Sequence

Detail = str | int | float | Sequence[str]


class MahallehError(Exception):
    """Anything the service refuses or cannot do, worded for the person who asked.

    Parameters
    ----------
    message
        What is wrong, a complete English sentence.
    code
        Stable machine-readable name; the class's own ``default_code`` when left out.
    where
        The place of the fault (row, field, file …), empty if there is none.
    remedy
        What the person can do about it, empty if nothing is known.
    details
        What the message and the remedy are about, by name, so that the web layer can say both in another language.

    Examples
    --------
    >>> str(InvalidInput("The threshold is negative.", where="clinic", remedy="Give metres, zero or more."))
    'clinic: The threshold is negative. Give metres, zero or more.'
    >>> InvalidInput("The threshold is negative.").code
    'invalid_input'
    """

    default_code = "error"
    status = 500

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        where: str = "",
        remedy: str = "",
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.where = where
        self.remedy = remedy
        self.details = dict(details or {})

    def members(self) -> dict[str, object]:
        """Return the members of a problem (RFC 9457) that this error is, in its own words.

        Examples
        --------
        >>> NotFound("There is no such city.", where="x").members()["where"]
        'x'
        """
        problem = {"type": "about:blank", "title": self.message, "status": self.status, "code": self.code}
        return problem | {name: text for name, text in (("where", self.where), ("remedy", self.remedy)) if text}

    def __str__(self) -> str:
        """Join the place, the message and the remedy into one line."""
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{place}{self.message}{remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with all fields, so that an error survives the way back from a worker process."""
        return _rebuild, (type(self), self.message, self.code, self.where, self.remedy, self.details)


class InvalidInput(MahallehError):
    """The input cannot be used as it is."""

    default_code = "invalid_input"
    status = 400


class GeometryError(InvalidInput):
    """A geometry is empty, of the wrong type, or broken beyond repair."""

    default_code = "bad_geometry"


class CrsError(InvalidInput):
    """A coordinate reference system is unknown, missing, or cannot express the coordinates."""

    default_code = "bad_crs"


class LimitExceeded(InvalidInput):
    """The input is well formed but larger than the service accepts."""

    default_code = "limit_exceeded"
    status = 413


class NotFound(MahallehError):
    """What was asked for does not exist, or the person may not know that it does."""

    default_code = "not_found"
    status = 404


class Forbidden(MahallehError):
    """The person may not do this here."""

    default_code = "forbidden"
    status = 403


class Conflict(MahallehError):
    """The write was based on a version that has been changed since."""

    default_code = "conflict"
    status = 409


def _rebuild(
    kind: type[MahallehError], message: str, code: str, where: str, remedy: str, details: Mapping[str, Detail]
) -> MahallehError:
    return kind(message, code=code, where=where, remedy=remedy, details=details)
