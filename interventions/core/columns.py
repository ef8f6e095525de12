"""Columns as the modules of this core take them: arrays of one length, of numbers in range."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import InvalidInput

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Booleans: TypeAlias = NDArray[np.bool_]


def floats(
    values: ArrayLike,
    name: str,
    length: int | None = None,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    may_miss: bool = False,
) -> Floats:
    """Return a column of numbers, checked.

    Parameters
    ----------
    values
        One number a row.
    name
        What errors call the column.
    length
        Rows there must be; None where any number will do.
    least, most
        The range, both included; infinite values are in an infinite range.
    may_miss
        Whether NaN may stand for what is not known.

    Raises
    ------
    InvalidInput
        Naming the column: ``lengths_differ`` or ``out_of_range``.

    Examples
    --------
    >>> floats([1, 2], "people", 2, least=0).tolist()
    [1.0, 2.0]
    >>> floats([1, -2], "people", 2, least=0)
    Traceback (most recent call last):
    geo.errors.InvalidInput: people: A value of the column is missing or out of range.
    """
    column = np.asarray(values, dtype=np.float64)
    _require_length(column, name, length)
    good = (column >= least) & (column <= most)
    if may_miss:
        good |= np.isnan(column)
    if not good.all():
        raise _out_of_range(name)
    return column


def finite(values: ArrayLike, name: str, length: int | None = None, *, least: float | None = None) -> Floats:
    """Return a column of finite numbers, checked; arguments and errors as of `floats`.

    Examples
    --------
    >>> finite([0.5], "share", least=0).tolist()
    [0.5]
    """
    largest = float(np.finfo(np.float64).max)
    return floats(values, name, length, least=-largest if least is None else least, most=largest)


def integers(
    values: ArrayLike, name: str, length: int | None = None, *, least: int | None = None, most: int | None = None
) -> Integers:
    """Return a column of whole numbers, checked; arguments and errors as of `floats`.

    Examples
    --------
    >>> integers([0, 3], "place", least=0, most=2)
    Traceback (most recent call last):
    geo.errors.InvalidInput: place: A value of the column is missing or out of range.
    """
    given = np.asarray(values)
    _require_length(given, name, length)
    if given.size and given.dtype.kind not in "iub":
        raise _out_of_range(name)
    column = given.astype(np.int64)
    if column.size and ((least is not None and column.min() < least) or (most is not None and column.max() > most)):
        raise _out_of_range(name)
    return column


def _require_length(column: NDArray, name: str, length: int | None) -> None:
    if column.ndim != 1 or (length is not None and column.size != length):
        raise InvalidInput("The columns differ in length.", code="lengths_differ", where=name)


def _out_of_range(name: str) -> InvalidInput:
    return InvalidInput("A value of the column is missing or out of range.", code="out_of_range", where=name)


__all__ = ["Booleans", "Floats", "Integers", "finite", "floats", "integers"]
