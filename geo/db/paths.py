"""Conditions on the paths of places: which lies in whose subtree."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Func


class Under(Func):
    """``starts_with(a || '/', b || '/')``: the place with the first path lies in the subtree of the other, or is it.

    One expression, where Django's own for joining and finding are seven: nearly every question asks this about some place,
    and took longer to be put into words than to be answered.
    """

    template = "starts_with(%(expressions)s || '/')"
    arg_joiner = " || '/', "
    arity = 2
    output_field = BooleanField()


class Above(Func):
    """``a = ANY(…)`` of a path and all those around it: the place with the first path is the other, or lies around it.

    What `Under` asks the other way round, for where the first is looked for: it is found by the index of paths. To compare each
    place with every other takes a second where there are hundreds of thousands of pairs.
    """

    arity = 2
    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *_shape: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        """Write the second path twice, as a function cannot that has a template."""
        (above, above_values), (path, values) = (compiler.compile(one) for one in self.source_expressions)
        parts = f"string_to_array({path}, '/')"
        paths = f"SELECT array_to_string(({parts})[1:n], '/') FROM generate_series(1, cardinality({parts})) AS n"  # noqa: S608 - compiled expressions
        return f"{above} = ANY(ARRAY({paths}))", (*above_values, *values, *values)
