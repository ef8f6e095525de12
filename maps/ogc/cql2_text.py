"""CQL2 text, read into the same tree as CQL2 JSON (OGC 21-065, `/req/cql2-text/validate`); each part knows its place in the text.

A parser of our own, because the one of pygeofilter gives AND and OR the same rank, knows no doubled quotation mark, no
line break and no place of an error. What it reads is then checked and evaluated exactly as CQL2 JSON is.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import shapely
from shapely.geometry import mapping

from geo.errors import InvalidInput

MOST_CHARACTERS: Final = 20_000
MOST_DEPTH: Final = 40

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^']|'')*')
    |(?P<quoted>"[^"]+")
    |(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d][\w:.]*)
    |(?P<mark><=|>=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = frozenset({"=", "<>", "<", ">", "<=", ">="})
_WKT: Final = frozenset(
    {"POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"}
)
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS", "NULL"})


class Located(dict[str, Any]):
    """A part of the tree that knows at which character of the text it begins."""

    at: int = 0


class _Token(NamedTuple):
    kind: str
    text: str
    at: int
    end: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text


def parse(text: str, *, is_older: bool = False) -> Any:
    """Read a CQL2 text into the tree of CQL2 JSON.

    Parameters
    ----------
    text : str
        The filter.
    is_older : bool
        Whether ``ILIKE`` is known, as in the text that came before CQL2.

    Raises
    ------
    InvalidInput
        Where the text is not CQL2, with the character at which that shows.

    Examples
    --------
    >>> parse("code = 'n001' OR kind = 'settlement' AND version > 1")["op"]
    'or'
    >>> parse("name_en LIKE 'Ma%'")
    {'op': 'like', 'args': [{'property': 'name_en'}, 'Ma%']}
    >>> parse("code = 'n001' AND")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    geo.errors.InvalidInput: filter, character 18: The filter ends where a value or a property is expected. Write CQL2 text, ...
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"The filter has more than {MOST_CHARACTERS:,} characters.",
            code="filter_too_long",
            where="filter",
            remedy="Shorten it.",
        )
    reader = _Reader(text, is_older=is_older)
    tree = reader.expression(0)
    if reader.now.kind != "end":
        raise reader.wrong("AND, OR or the end")
    return tree


class _Reader:
    """A recursive-descent reader with one token of foresight."""

    def __init__(self, text: str, *, is_older: bool) -> None:
        self.text = text
        self.is_older = is_older
        self.now = self._token(0)

    def _token(self, start: int) -> _Token:
        match = _TOKEN.match(self.text, start)
        if match is not None and match.lastgroup:
            kind = match.lastgroup
            return _Token(kind, match[kind], match.start(kind), match.end())
        rest = self.text[start:]
        at = start + len(rest) - len(rest.lstrip())
        if at == len(self.text):
            return _Token("end", "", at, at)
        return _Token("unknown", self.text[at], at, at + 1)

    def wrong(self, expected: str) -> InvalidInput:
        """Return the error "something else stands here"."""
        token = self.now
        message = (
            f"The filter ends where {expected} is expected."
            if token.kind == "end"
            else f"{token.text[:40]!r} stands where {expected} is expected."
        )
        return InvalidInput(
            message,
            code="bad_filter",
            where=place_of(token.at),
            remedy="Write CQL2 text, such as kind = 'neighbourhood' AND name_en LIKE 'A%'.",
        )

    def take(self) -> _Token:
        """Return the token and go on."""
        token = self.now
        self.now = self._token(token.end)
        return token

    def has(self, *words: str) -> bool:
        """Tell whether the token is one of these words or marks."""
        return self.now.kind in ("word", "mark") and self.now.upper in words

    def skip(self, word: str) -> None:
        """Go past a word or mark that must stand here."""
        if not self.has(word):
            raise self.wrong(f"'{word}'")
        self.take()

    def expression(self, depth: int) -> Any:
        """Read alternatives: OR binds the least."""
        return self._chain("OR", depth)

    def _chain(self, word: str, depth: int) -> Any:
        if depth > MOST_DEPTH:
            raise self.wrong(f"no more than {MOST_DEPTH} levels of brackets and negations, here something simpler,")
        at = self.now.at
        parts = [self._part(word, depth)]
        while self.has(word):
            self.take()
            parts.append(self._part(word, depth))
        return parts[0] if len(parts) == 1 else _node(at, op=word.lower(), args=parts)

    def _part(self, word: str, depth: int) -> Any:
        return self._chain("AND", depth) if word == "OR" else self._negation(depth)

    def _negation(self, depth: int) -> Any:
        at = self.now.at
        if self.has("NOT"):
            self.take()
            if depth > MOST_DEPTH:
                raise self.wrong("a simpler filter")
            return _node(at, op="not", args=[self._negation(depth + 1)])
        if self.has("("):
            self.take()
            inner = self.expression(depth + 1)
            self.skip(")")
            return inner
        return self._predicate()

    def _predicate(self) -> Any:
        at, upper = self.now.at, self.now.upper
        if self.now.kind == "word" and re.fullmatch(r"[STA]_[A-Z]+", upper):
            return self._function_predicate()
        left = self._scalar()
        if isinstance(left, bool) and not self.has(*_COMPARISONS):
            return left
        negated = self.has("NOT")
        if negated:
            self.take()
        if self.has("IS") and not negated:
            self.take()
            negated = self.has("NOT")
            if negated:
                self.take()
            self.skip("NULL")
            found = _node(at, op="isNull", args=[left])
        elif self.has("LIKE"):
            self.take()
            found = _node(at, op="like", args=[left, self._scalar()])
        elif self.is_older and self.has("ILIKE"):
            self.take()
            pattern = self._scalar()
            found = _node(
                at, op="like", args=[_node(at, op="casei", args=[left]), _node(at, op="casei", args=[pattern])]
            )
        elif self.has("BETWEEN"):
            self.take()
            low = self._scalar()
            self.skip("AND")
            found = _node(at, op="between", args=[left, low, self._scalar()])
        elif self.has("IN"):
            self.take()
            found = _node(at, op="in", args=[left, self._list()])
        elif not negated and self.now.text in _COMPARISONS:
            op = self.take().text
            found = _node(at, op=op, args=[left, self._scalar()])
        else:
            raise self.wrong("a comparison, such as =, LIKE, IN, BETWEEN or IS NULL,")
        return _node(at, op="not", args=[found]) if negated else found

    def _function_predicate(self) -> Located:
        token = self.take()
        self.skip("(")
        first = self._operand()
        self.skip(",")
        second = self._operand()
        self.skip(")")
        return _node(token.at, op=token.text.lower(), args=[first, second])

    def _list(self) -> list[Any]:
        self.skip("(")
        values = [self._scalar()]
        while self.has(","):
            self.take()
            values.append(self._scalar())
        self.skip(")")
        return values

    def _operand(self) -> Any:
        """Read an operand of a spatial or temporal function."""
        upper, at = self.now.upper, self.now.at
        if self.now.kind == "word" and upper in _WKT:
            return self._wkt()
        if upper in ("BBOX", "ENVELOPE") and self.now.kind == "word":
            self.take()
            return _node(at, bbox=self._list())
        if upper == "INTERVAL" and self.now.kind == "word":
            self.take()
            return _node(at, interval=self._list())
        return self._scalar()

    def _scalar(self) -> Any:
        token = self.now
        if token.kind == "string":
            return self.take().text[1:-1].replace("''", "'")
        if token.kind == "number":
            text = self.take().text
            return int(text) if re.fullmatch(r"[+-]?\d{1,15}", text) else float(text)
        if token.kind == "quoted":
            return _node(token.at, property=self.take().text[1:-1])
        if token.kind != "word" or token.upper in _KEYWORDS:
            raise self.wrong("a value or a property")
        self.take()
        if token.upper in ("TRUE", "FALSE"):
            return token.upper == "TRUE"
        if not self.has("("):
            return _node(token.at, property=token.text)
        if token.upper in ("DATE", "TIMESTAMP"):
            return _node(token.at, **{token.text.lower(): self._single()})
        if token.upper == "CASEI":
            return _node(token.at, op="casei", args=[self._single()])
        raise InvalidInput(
            f"There is no function {token.text!r}.",
            code="unknown_function",
            where=place_of(token.at),
            remedy="The functions are CASEI, DATE, TIMESTAMP, INTERVAL, BBOX, S_… and T_….",
        )

    def _single(self) -> Any:
        self.skip("(")
        value = self._scalar()
        self.skip(")")
        return value

    def _wkt(self) -> Located:
        """Read a geometry: from its name to the bracket that closes it."""
        start, level, position = self.now.at, 0, self.now.end
        for position in range(self.now.end, len(self.text)):
            level += {"(": 1, ")": -1}.get(self.text[position], 0)
            if level <= 0 and self.text[position] == ")":
                break
        wkt = self.text[start : position + 1]
        try:
            geometry = shapely.from_wkt(wkt)
        except shapely.errors.GEOSException as error:
            raise InvalidInput(
                "The geometry is not well-known text.",
                code="bad_filter",
                where=place_of(start),
                remedy="Write it as POLYGON((x y, x y, x y, x y)).",
            ) from error
        self.now = self._token(position + 1)
        return _node(start, **mapping(geometry))


def place_of(at: int) -> str:
    """Word the place of a character in the filter."""
    return f"filter, character {at + 1}"


def _node(at: int, **members: Any) -> Located:
    node = Located(members)
    node.at = at
    return node
