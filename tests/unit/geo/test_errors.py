"""Errors say what, where and what to do, and survive a worker process."""

import pickle

import pytest

from geo.errors import (
    Conflict,
    CrsError,
    Forbidden,
    GeometryError,
    InvalidInput,
    LimitExceeded,
    MahallehError,
    NotFound,
)


def test_the_text_joins_place_message_and_remedy() -> None:
    error = InvalidInput("The threshold is negative.", code="bad_threshold", where="row 3", remedy="Give metres.")
    assert str(error) == "row 3: The threshold is negative. Give metres."
    assert (error.code, error.where, error.remedy) == ("bad_threshold", "row 3", "Give metres.")
    assert str(NotFound("There is no such city.")) == "There is no such city."


@pytest.mark.parametrize(
    ("kind", "parent", "status"),
    [
        (InvalidInput, MahallehError, 400),
        (GeometryError, InvalidInput, 400),
        (CrsError, InvalidInput, 400),
        (LimitExceeded, InvalidInput, 413),
        (NotFound, MahallehError, 404),
        (Forbidden, MahallehError, 403),
        (Conflict, MahallehError, 409),
    ],
)
def test_each_kind_has_its_status_and_default_code(kind: type[MahallehError], parent: type, status: int) -> None:
    assert issubclass(kind, parent)
    assert kind.status == status
    assert kind("No.").code == kind.default_code != "error"


def test_pickling_keeps_all_fields() -> None:
    error = GeometryError("Empty.", code="empty", where="row 7", remedy="Draw it.", details={"row": 7})
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 -- the pickle was made on this line
    assert type(copy) is GeometryError
    assert (str(copy), copy.code, copy.details) == (str(error), "empty", {"row": 7})
    assert NotFound("There is no such city.").details == {}
