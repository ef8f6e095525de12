"""Filters: CQL2 JSON and text, checked against the queryables, evaluated by pygeofilter's Django backend.

Serves OGC 19-079 `/req/filter/filter-param`, `/req/filter/expression-construction`, and of CQL2 the classes Basic CQL2,
Advanced Comparison Operators, Case-insensitive Comparison, Basic Spatial Functions and Spatial Functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import shapely
from django.db.models import BooleanField, Func, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)
from django.utils import timezone
from pygeofilter import ast, values
from pygeofilter.backends.django.evaluate import DjangoFilterEvaluator
from pygeofilter.backends.evaluator import handle
from pygeofilter.cql2 import COMPARISON_MAP, SPATIAL_PREDICATES_MAP
from shapely.geometry import mapping

from geo.core.geojson import no_constant, shape_of
from geo.errors import InvalidInput
from maps.ogc import cql2_text
from maps.ogc.boxes import box_of
from maps.ogc.crs import DEFAULT, Crs, from_crs
from maps.ogc.queryables import QUERYABLES, READ_ONLY

MOST_VERTICES: Final = 5_000
MOST_VALUES: Final = 1_000
_LARGEST: Final = 2**53

OLDER: Final = "cql-text"
"""The text that came before CQL2, in which GDAL asks a service that says it knows it."""

LANGUAGES: Final = ("cql2-text", "cql2-json", OLDER)
_COMPARISONS: Final = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to be used.

    Attributes
    ----------
    condition : Q
        For the queryset of `maps.ogc.selectors.editions`.
    names : frozenset of str
        The queryables it speaks of.
    """

    condition: Q
    names: frozenset[str]


def filter_of(text: str, language: str, crs: Crs = DEFAULT) -> Filter:
    """Read a filter.

    Parameters
    ----------
    text : str
        The value of the parameter ``filter``.
    language : str
        One of `LANGUAGES` (`/req/filter/filter-lang-param`).
    crs : Crs
        Of the geometries in it (`/req/filter/filter-crs-param`).

    Raises
    ------
    InvalidInput
        Where it is not CQL2, names something that is no queryable, or compares what cannot be compared.

    Examples
    --------
    >>> sorted(filter_of("CASEI(name_en) LIKE 'a%' AND NOT kind = 'settlement'", "cql2-text").names)
    ['kind', 'name_en']
    """
    is_older = language == OLDER
    if language != "cql2-json":
        tree: Any = cql2_text.parse(text, is_older=is_older)
    else:
        try:
            tree = json.loads(text[: cql2_text.MOST_CHARACTERS * 10], parse_constant=no_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(
                "The filter is not JSON.",
                code="bad_filter",
                where=f"filter, character {getattr(error, 'pos', 0) + 1}",
                remedy="Write CQL2 JSON, or add filter-lang=cql2-text.",
            ) from error
    checked = _Checker(crs, is_older=is_older)
    node = checked.condition(tree, "filter", 0)
    lookups = {name: item.lookup for name, item in QUERYABLES.items()} | {"valid_to": "valid_to"}
    found = _Evaluator(lookups, None).evaluate(node)
    return Filter(found, frozenset(checked.names))


def equals(name: str, text: str) -> Q:
    """Return the condition of a query parameter named after a queryable: the property has this value."""
    value: Any = text
    if QUERYABLES[name].type == "integer":
        value = _integer(text, name)
    node = ast.Equal(ast.Attribute(name), _Checker(DEFAULT).literal(value, name, name))
    found: Q = _Evaluator({name: QUERYABLES[name].lookup}, None).evaluate(node)
    return found


def _integer(text: str, where: str) -> int:
    try:
        return int(text[:20])
    except ValueError as error:
        raise _refusal("This is not a whole number.", where, "Give digits alone.") from error


class _Checker:
    """Turns the tree of CQL2 JSON into pygeofilter's, refusing whatever is not known to be safe and meant."""

    def __init__(self, crs: Crs, *, is_older: bool = False) -> None:
        self.crs = crs
        self.is_older = is_older
        self.names: set[str] = set()

    def condition(self, tree: Any, where: str, depth: int) -> ast.Node:
        """Check something that is true or false."""
        where = cql2_text.place_of(tree.at) if isinstance(tree, cql2_text.Located) else where
        if isinstance(tree, bool):
            return ast.IsNull(ast.Attribute("code"), not_=tree)  # a code is never missing
        if depth > cql2_text.MOST_DEPTH * 2:
            raise _refusal("The filter is nested too deeply.", where, "Write it with fewer brackets.")
        op, args = _operation(tree, where)
        places = [f"{where}.args[{i}]" if "character" not in where else where for i in range(len(args))]
        if op in ("and", "or"):
            parts = [self.condition(arg, at, depth + 1) for arg, at in zip(args, places, strict=True)]
            if len(parts) < 2:
                raise _refusal(f"{op!r} needs two conditions or more.", where)
            # Balanced, so that a long list makes no deep tree.
            return _joined(ast.And if op == "and" else ast.Or, parts)
        if op == "not":
            _count(args, 1, op, where)
            return ast.Not(self.condition(args[0], places[0], depth + 1))
        if op in SPATIAL_PREDICATES_MAP:
            _count(args, 2, op, where)
            return self._spatial(op, args, where)
        if op in _TEMPORAL:
            _count(args, 2, op, where)
            return self._temporal(op, args, where)
        return self._comparison(op, args, where)

    def _comparison(self, op: str, args: list[Any], where: str) -> ast.Node:
        if op in _COMPARISONS:
            _count(args, 2, op, where)
            name = self._name_in(args, where)
            return COMPARISON_MAP[op](*(self._operand(arg, name, where) for arg in args))
        if op == "isNull":
            _count(args, 1, op, where)
            tested = args[0].get("property") if isinstance(args[0], dict) else None
            if self.is_older and (tested == "id" or tested in READ_ONLY):
                # GDAL asks so of every property; but for this one, those that are no queryables are never missing.
                return ast.IsNull(ast.Attribute("valid_to" if tested == "valid_to" else "code"), not_=False)
            return ast.IsNull(self.attribute(args[0], where), not_=False)
        if op == "between" and len(args) == 2 and isinstance(args[1], list):
            args = [args[0], *args[1]]  # as drafts of the standard had it
        if op == "between":
            _count(args, 3, op, where)
            subject = self.attribute(args[0], where)
            low, high = (self.literal(arg, subject.name, where) for arg in args[1:])
            return ast.Between(subject, low, high, not_=False)
        if op == "like":
            _count(args, 2, op, where)
            return self._like(args, where)
        if op == "in":
            _count(args, 2, op, where)
            return self._in(args, where)
        raise _refusal(
            f"There is no operator {op[:40]!r}.",
            where,
            "Use and, or, not, =, <>, <, <=, >, >=, like, between, in, isNull, s_… or t_….",
            code="unknown_operator",
        )

    def _like(self, args: list[Any], where: str) -> ast.Node:
        subject, pattern = self._operand(args[0], "", where), args[1]
        is_lowered = isinstance(subject, ast.Function)
        if isinstance(pattern, dict) and pattern.get("op") == "casei":
            pattern = _operation(pattern, where)[1][0]
            pattern = pattern.lower() if isinstance(pattern, str) else pattern
        attribute = subject.arguments[0] if is_lowered else subject
        if not isinstance(pattern, str) or not isinstance(attribute, ast.Attribute):
            raise _refusal("LIKE compares a property with a text.", where, "Write name_en LIKE 'A%'.")
        self.literal(pattern, attribute.name, where)
        if len(pattern) - len(pattern.rstrip("\\")) & 1:
            raise _refusal("The pattern ends with the mark that escapes what follows.", where, "Double the last \\.")
        return ast.Like(subject, pattern, nocase=False, wildcard="%", singlechar="_", escapechar="\\", not_=False)

    def _in(self, args: list[Any], where: str) -> ast.Node:
        if not isinstance(args[1], list) or not args[1]:
            raise _refusal("IN needs a list of values.", where, "Write kind IN ('neighbourhood', 'settlement').")
        if len(args[1]) > MOST_VALUES:
            raise _refusal(f"The list has more than {MOST_VALUES:,} values.", where, "Ask in several parts.")
        subject = self._operand(args[0], "", where)
        name = self._name_in([args[0]], where)
        if isinstance(subject, ast.Function):
            return _joined(ast.Or, [ast.Equal(subject, self._operand(value, name, where)) for value in args[1]])
        return ast.In(subject, [self.literal(value, name, where) for value in args[1]], not_=False)

    def attribute(self, tree: Any, where: str) -> ast.Attribute:
        """Check the name of a property (`/req/filter/expression-construction`)."""
        name = tree.get("property") if isinstance(tree, dict) and len(tree) == 1 else None
        where = cql2_text.place_of(tree.at) if isinstance(tree, cql2_text.Located) else where
        if not isinstance(name, str):
            raise _refusal("A property is expected here.", where, "Put the property first, then the value.")
        if name not in QUERYABLES:
            raise _refusal(
                f"There is no queryable {name[:60]!r}.",
                where,
                f"The queryables are {', '.join(QUERYABLES)}.",
                code="unknown_queryable",
            )
        self.names.add(name)
        return ast.Attribute(name)

    def _name_in(self, args: list[Any], where: str) -> str:
        """Return the queryable that a comparison is about."""
        for arg in args:
            if isinstance(arg, dict) and arg.get("op") == "casei":
                arg = (_operation(arg, where)[1] or [None])[0]
            if isinstance(arg, dict) and "property" in arg:
                return str(self.attribute(arg, where).name)
        raise _refusal("Nothing here is a property.", where, "Compare a property with a value.")

    def _operand(self, tree: Any, name: str, where: str) -> Any:
        """Check one side of a comparison with the queryable `name`."""
        if isinstance(tree, dict) and tree.get("op") == "casei":
            args = _operation(tree, where)[1]
            _count(args, 1, "casei", where)
            inner = self._operand(args[0], name, where)
            if isinstance(inner, str):
                return inner.lower()
            if not isinstance(inner, ast.Attribute) or QUERYABLES[inner.name].type != "string":
                raise _refusal("CASEI is about texts.", where, "Use it on a text or a property that is one.")
            return ast.Function("lower", [inner])
        if isinstance(tree, dict) and "property" in tree:
            found = self.attribute(tree, where)
            if QUERYABLES[found.name].type == "geometry" or (
                name and QUERYABLES[name].type != QUERYABLES[found.name].type
            ):
                raise _refusal(f"{found.name!r} cannot be compared in this way.", where, "Compare like with like.")
            return found
        return self.literal(tree, name, where)

    def literal(self, value: Any, name: str, where: str) -> Any:
        """Check a value that is compared with the queryable `name`."""
        expected = QUERYABLES[name].type if name in QUERYABLES else "geometry"
        if expected == "date":
            if self.is_older and isinstance(value, str) and len(value) == 11:
                value = value.removesuffix("T")  # GDAL writes a day so
            low, high = _span(value, where)
            if low is None or low != high:
                raise _refusal("A single day is expected here.", where, "Write DATE('2024-03-20').")
            return low
        if expected == "string" and isinstance(value, str) and "\0" not in value:
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if expected == "integer" and is_number and abs(value) <= _LARGEST:  # false for NaN too
            return value
        wanted = {"string": "a text", "integer": "a number"}.get(expected, "a spatial function")
        raise _refusal(f"{name!r} is compared with {wanted}, not with this.", where, code="bad_value")

    def _spatial(self, op: str, args: list[Any], where: str) -> ast.Node:
        operands = []
        for arg in args:
            if isinstance(arg, dict) and "property" in arg:
                found = self.attribute(arg, where)
                if QUERYABLES[found.name].type != "geometry":
                    raise _refusal(f"{found.name!r} is not a geometry.", where, "Use the queryable geometry.")
                operands.append(found)
            else:
                operands.append(values.Geometry(mapping(self.geometry(arg, where))))
        if sum(isinstance(operand, ast.Attribute) for operand in operands) != 1:
            raise _refusal("One side must be a property, the other a geometry.", where, f"Write {op}(geometry, …).")
        return SPATIAL_PREDICATES_MAP[op](*operands)

    def geometry(self, tree: Any, where: str) -> shapely.Geometry:
        """Check a geometry, in the CRS of the filter."""
        where = cql2_text.place_of(tree.at) if isinstance(tree, cql2_text.Located) else where
        if isinstance(tree, dict) and set(tree) == {"bbox"}:
            return box_of(tree["bbox"], self.crs, where)
        shape = self._shape(tree, where)
        found = from_crs(shapely.force_2d(shape), self.crs, where)
        if not found.is_valid or found.is_empty:
            raise _refusal("The geometry is not valid.", where, shapely.is_valid_reason(found), code="bad_geometry")
        return found

    def _shape(self, tree: Any, where: str) -> shapely.Geometry:
        if not isinstance(tree, dict) or tree.get("type") != "GeometryCollection":
            return shape_of(tree, where, most_vertices=MOST_VERTICES)
        parts = tree.get("geometries")
        if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= MOST_VALUES:
            raise _refusal("The collection has no geometries, or too many.", where, code="bad_geometry")
        most = MOST_VERTICES // len(parts)
        return shapely.GeometryCollection([shape_of(part, where, most_vertices=most) for part in parts])

    def _temporal(self, op: str, args: list[Any], where: str) -> ast.Node:
        """Check a temporal function; the only temporal queryable is a day, so each is a comparison of days."""
        subject = self.attribute(args[0], where)
        if QUERYABLES[subject.name].type != "date":
            raise _refusal(f"{subject.name!r} is not a date.", where, "Use the queryable valid_from.")
        low, high = _span(args[1], where)
        return _TEMPORAL[op](subject, low or date.min, high or date.max)


_TEMPORAL: Final[Mapping[str, Callable[[ast.Attribute, date, date], ast.Node]]] = {
    "t_after": lambda day, low, high: ast.GreaterThan(day, high),
    "t_before": lambda day, low, high: ast.LessThan(day, low),
    "t_equals": lambda day, low, high: ast.And(ast.GreaterEqual(day, high), ast.LessEqual(day, low)),
    "t_during": lambda day, low, high: ast.And(ast.GreaterThan(day, low), ast.LessThan(day, high)),
    "t_intersects": lambda day, low, high: ast.Between(day, low, high, not_=False),
    "t_disjoint": lambda day, low, high: ast.Between(day, low, high, not_=True),
}


def _operation(tree: Any, where: str) -> tuple[str, list[Any]]:
    if isinstance(tree, dict) and isinstance(tree.get("op"), str) and isinstance(tree.get("args"), list):
        op = tree["op"]
        return (op if op == "isNull" else op.lower()), tree["args"]
    raise _refusal("A condition is expected here.", where, 'Write {"op": …, "args": […]}, or a comparison.')


def _count(args: list[Any], n: int, op: str, where: str) -> None:
    if len(args) != n:
        raise _refusal(f"{op!r} takes {n} operands, not {len(args)}.", where)


def _joined(kind: Callable[[ast.Node, ast.Node], ast.Node], parts: list[ast.Node]) -> ast.Node:
    while len(parts) > 1:
        pairs = [kind(*parts[i : i + 2]) for i in range(0, len(parts) - 1, 2)]
        parts = pairs + (parts[-1:] if len(parts) % 2 else [])
    return parts[0]


def day_of(text: Any, where: str) -> date:
    """Return the day of a date or of an instant, as it is counted where the cities are.

    Raises
    ------
    InvalidInput
        If it is neither, by RFC 3339.
    """
    try:
        if isinstance(text, str) and len(text) == 10:
            return date.fromisoformat(text)
        if isinstance(text, str) and len(text) >= 20 and text[10] in "Tt":
            return timezone.localtime(datetime.fromisoformat(text.upper())).date()
    except (ValueError, OverflowError):
        pass
    raise _refusal(
        "This is not a date or an instant.", where, "Write 2024-03-20 or 2024-03-20T00:00:00Z.", code="bad_date"
    )


def _span(tree: Any, where: str) -> tuple[date | None, date | None]:
    """Return the first and last day of a temporal value; None for an open end."""
    if isinstance(tree, dict) and len(tree) == 1:
        (key, value), *_ = tree.items()
        if key in ("date", "timestamp"):
            return (day_of(value, where),) * 2
        if key == "interval" and isinstance(value, list) and len(value) == 2:
            low, high = (None if end == ".." else _span(end, where)[0] for end in value)
            if low and high and low > high:
                raise _refusal("The interval ends before it begins.", where, "Exchange its ends.")
            return low, high
        raise _refusal("A date, an instant or an interval is expected here.", where)
    return (day_of(tree, where),) * 2


def _refusal(message: str, where: str, remedy: str = "", *, code: str = "bad_filter") -> InvalidInput:
    return InvalidInput(message, code=code, where=where, remedy=remedy)


class _Like(Func):
    """``a LIKE pattern``, with Postgres's own ``%``, ``_`` and backslash, which are those of CQL2."""

    template = "(%(expressions)s)"
    arg_joiner = " LIKE "
    output_field = BooleanField()


_LOOKUPS: Final = {
    "=": Exact,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
}


class _Evaluator(DjangoFilterEvaluator):  # type: ignore[misc]
    """Pygeofilter's Django backend; LIKE with both wildcards, functions, and ``<>`` as the standard has them."""

    @handle(ast.Like)  # type: ignore[untyped-decorator]
    def like(self, node: ast.Like, subject: Any) -> Q:
        return Q(_Like(subject, Value(node.pattern)))

    @handle(ast.Function)  # type: ignore[untyped-decorator]
    def function(self, node: ast.Function, *arguments: Any) -> Any:
        return Lower(*arguments)

    @handle(ast.Comparison, subclasses=True)  # type: ignore[untyped-decorator]
    def comparison(self, node: ast.Comparison, left: Any, right: Any) -> Q:
        op = node.op.value
        compared = Q(_LOOKUPS["=" if op == "<>" else op](left, right))
        # Negated as SQL negates: what has no value is neither equal nor unequal.
        return ~compared if op == "<>" else compared
