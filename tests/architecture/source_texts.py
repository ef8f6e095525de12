"""The English texts of the errors in the source, read from it by `ast`, so that a test can ask for each in another language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

ROOT: Final = Path(__file__).resolve().parents[2]
_ERRORS: Final = frozenset({
    "MahallehError", "InvalidInput", "GeometryError", "CrsError", "LimitExceeded", "NotFound", "Forbidden", "Conflict",
    "StaleEdit", "TopologyRefused", "NotSignedIn", "NotAcceptable", "PreconditionFailed", "UnsupportedMedia",
    "PreconditionRequired", "MethodNotAllowed", "Cancelled", "TooManyAtOnceError",
})  # fmt: skip
# Of each call that makes an error or a problem: where its message and remedy stand, by position.
_CALLS: Final = dict.fromkeys(_ERRORS, (0, -1)) | {
    "Problem": (2, 3), "RefusedError": (1, 2), "report_whole": (2, 3),
    "told": (3, 4),  # of rows that are there twice (layers/reading/whole.py)
    "_problem": (2, 3),  # of a file that its reader did not survive (layers/tasks.py)
}  # fmt: skip
# What stands for the rows concerned, in the sentence that `report_whole` is given.
_WHICH: Final = (("All ", " rows"), ("", " of ", " rows"))
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")
Function: TypeAlias = ast.FunctionDef | ast.Lambda


@dataclass(frozen=True)
class Text:
    """One text that a reader may meet; ``parts`` are its constant pieces, between which values are put in."""

    file: str
    line: int
    parts: tuple[str, ...]

    def filled(self) -> tuple[str, tuple[str, ...]]:
        """Return the text with a value of its own in each gap, and these values."""
        values = tuple(f"{n}v" for n in range(1, len(self.parts)))
        text = self.parts[0] + "".join(value + part for value, part in zip(values, self.parts[1:], strict=True))
        return text, values


def texts_in(folder: str) -> Iterator[Text]:
    """Give the texts of all errors made in a folder or a file, each once per place."""
    path = ROOT / folder
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        if "migrations" not in file.parts:
            yield from _Module(file).texts()


def without_details(folder: str) -> Iterator[str]:
    """Give the places of errors that name something in English, and do not say its name in the reader's language."""
    path = ROOT / folder
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and _name(call) in _ERRORS and call.args:
                is_named = any(
                    isinstance(node, ast.Attribute) and node.attr == "name_en" for node in ast.walk(call.args[0])
                )
                if is_named and "details" not in {k.arg for k in call.keywords}:
                    yield f"{file.relative_to(ROOT)}:{call.lineno}"


class _Module:
    def __init__(self, file: Path) -> None:
        self.name = str(file.relative_to(ROOT))
        self.tree = ast.parse(file.read_text())
        self.functions: dict[ast.AST, Function] = {}
        self.blocks: dict[ast.AST, tuple[tuple[ast.AST, str], ...]] = {}
        self._enclose(self.tree, None)
        self.forwarders = {
            name: places
            for function in ast.walk(self.tree)
            if isinstance(function, ast.FunctionDef)
            for name, places in self._forwarded(function)
        }

    def _enclose(self, node: ast.AST, function: Function | None, blocks: tuple[tuple[ast.AST, str], ...] = ()) -> None:
        """Note of each node the function it stands in, and the blocks around it."""
        for field, value in ast.iter_fields(node):
            inner = (*blocks, (node, field)) if field in ("body", "orelse", "finalbody", "handlers") else blocks
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    if function is not None:
                        self.functions[child] = function
                    self.blocks[child] = inner
                    is_function = isinstance(child, ast.FunctionDef | ast.Lambda)
                    self._enclose(child, child if is_function else function, inner)  # type: ignore[arg-type]

    def _forwarded(self, function: ast.FunctionDef) -> Iterator[tuple[str, tuple[str, int, int]]]:
        """Give a function that makes an error of a message it is given, with the place of message and remedy."""
        names = [a.arg for a in function.args.args]
        if names[:1] == ["self"]:
            names = names[1:]
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _name(call) in _CALLS:
                message, remedy = _arguments(call, _CALLS[_name(call)])
                if isinstance(message, ast.Name) and message.id in names:
                    at = remedy.id if isinstance(remedy, ast.Name) else ""
                    yield function.name, (message.id, names.index(message.id), names.index(at) if at in names else -1)

    def texts(self) -> Iterator[Text]:
        found: dict[tuple[int, tuple[str, ...]], Text] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                given = self._given(node)
                if _name(node) == "ValueError" and self._is_validated(node):
                    for parts in self._resolved(node.args[0], node):
                        # What pydantic makes of it.
                        parts = (f"Value error, {parts[0]}", *parts[1:])
                        found[node.lineno, parts] = Text(self.name, node.lineno, (*parts[:-1], f"{parts[-1]}."))
            elif (
                isinstance(node, ast.FunctionDef) and node.name == "__init__"
            ):  # a class of error with a remedy of its own
                given = tuple(
                    default
                    for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                    if one.arg == "remedy" and default is not None
                )
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "warnings":
                given = tuple(node.value.elts) if isinstance(node.value, ast.Tuple) else ()
            elif isinstance(node, ast.Return | ast.Lambda) and self.name.startswith("layers/reading/"):
                pair = node.value if isinstance(node, ast.Return) else node.body
                given = tuple(pair.elts) if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 else ()
                if not (all(map(_may_be_said, given)) and any(map(_is_sentence, given))):
                    given = ()
            else:
                continue
            for argument in given:
                for parts in map(_stripped, self._resolved(argument, node)):
                    if any(part.strip() for part in parts):
                        found[node.lineno, parts] = Text(self.name, node.lineno, parts)
        yield from found.values()

    def _is_validated(self, node: ast.AST) -> bool:
        """Tell whether a node stands in a validator of a request's body."""
        function = self.functions.get(node)
        return isinstance(function, ast.FunctionDef) and any(
            "validator" in ast.unparse(one) for one in function.decorator_list
        )

    def _given(self, call: ast.Call) -> tuple[ast.expr, ...]:
        name = _name(call)
        if name == "__init__" and "remedy" in {k.arg for k in call.keywords}:  # of a class of error of its own
            return tuple(one for one in _arguments(call, (0, -1)) if one is not None)
        if name in _CALLS:
            return tuple(one for one in _arguments(call, _CALLS[name]) if one is not None)
        if {"code", "where", "remedy"} <= {
            k.arg for k in call.keywords
        } and call.args:  # a class of error, by a variable
            return tuple(one for one in _arguments(call, (0, -1)) if one is not None)
        if name == "append" and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "warnings":
            return tuple(call.args)
        if name in self.forwarders:
            _, message, remedy = self.forwarders[name]
            return tuple(one for one in _arguments(call, (message, remedy)) if one is not None)
        return ()

    def _resolved(self, node: ast.expr, at: ast.AST, depth: int = 0) -> list[tuple[str, ...]]:
        """Give what an expression may say, each as its constant pieces; nothing where another error's words are passed on."""
        if isinstance(node, ast.Constant):
            return [tuple(_PLACEHOLDER.split(node.value))] if isinstance(node.value, str) else []
        if isinstance(node, ast.IfExp):
            return self._resolved(node.body, at, depth) + self._resolved(node.orelse, at, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._resolved(node.left, at, depth), self._resolved(node.right, at, depth)
            return [_joined(a, b) for a in left for b in right]
        if isinstance(node, ast.JoinedStr):
            said: list[tuple[str, ...]] = [("",)]
            for piece in node.values:
                more: list[tuple[str, ...]] = [("", "")]
                if isinstance(piece, ast.Constant):
                    more = [(str(piece.value),)]
                elif isinstance(piece, ast.FormattedValue) and self._is_passed_on(piece.value, at):
                    more = [("",)]
                elif isinstance(piece, ast.FormattedValue) and piece.conversion == -1 and not piece.format_spec:
                    more = self._constants(piece.value, at, depth) or more
                said = [_joined(a, b) for a in said for b in more]
            return said
        if isinstance(node, ast.Name) and depth < 3:
            return [parts for value in self._values_of(node.id, at) for parts in self._resolved(value, at, depth + 1)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and depth < 3:
            return self._returned(node.func.id, depth)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and depth < 3:
            chosen = [one for value in self._values_of(node.value.id, at) for one in _values_in(value)]
            return [parts for value in chosen for parts in self._resolved(value, at, depth + 1)]
        return []

    def _is_passed_on(self, node: ast.expr, at: ast.AST) -> bool:
        """Tell whether a gap holds a whole sentence that is made elsewhere."""
        if isinstance(node, ast.Attribute):
            return node.attr in ("message", "remedy")
        function = self.functions.get(at)
        names = [a.arg for a in function.args.args] if function else []
        return isinstance(node, ast.Name) and node.id in ("message", "remedy") and node.id in names

    def _constants(self, node: ast.expr, at: ast.AST, depth: int) -> list[tuple[str, ...]]:
        """Give the pieces of a value that is one of a few constants; nothing where it may be anything."""
        if isinstance(node, ast.IfExp):
            sides = [self._constants(side, at, depth) for side in (node.body, node.orelse)]
            return [one for side in sides for one in side] if all(sides) else []
        if isinstance(node, ast.Constant | ast.JoinedStr):
            return self._resolved(node, at, depth)
        if isinstance(node, ast.Name) and depth < 3:
            if node.id == "which" and isinstance(at, ast.Lambda):
                return list(_WHICH)
            values = self._values_of(node.id, at)
            return self._one_of([(value, at) for value in values] or self._passed(node.id, at), depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and depth < 3:
            return self._one_of(self._returns(node.func.id), depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "rstrip":
            return self._constants(node.func.value, at, depth)
        return []

    def _one_of(self, given: list[tuple[ast.expr, ast.AST]], depth: int) -> list[tuple[str, ...]]:
        """Give the pieces of each of some values, a gap for one that may be anything; nothing where all of them may."""
        sides = [self._constants(value, place, depth + 1) for value, place in given]
        return [one for side in sides for one in side or [("", "")]] if any(sides) else []

    def _passed(self, name: str, at: ast.AST) -> list[tuple[ast.expr, ast.AST]]:
        """Give what a function of the module is called with for one of its parameters, each with its call."""
        function = self.functions.get(at)
        if not isinstance(function, ast.FunctionDef) or name not in [a.arg for a in function.args.args]:
            return []
        place = [a.arg for a in function.args.args].index(name)
        calls = [
            call
            for call in ast.walk(self.tree)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == function.name
        ]
        given: list[tuple[ast.expr, ast.AST]] = [
            (one, call) for call in calls for one in _arguments(call, (place, -1), (name, ""))[:1] if one is not None
        ]
        return given if len(given) == len(calls) else []

    def _returns(self, name: str) -> list[tuple[ast.expr, ast.AST]]:
        """Give what a function of the module returns, each with its statement."""
        return [
            (node.value, node)
            for function in ast.walk(self.tree)
            if isinstance(function, ast.FunctionDef) and function.name == name
            for node in ast.walk(function)
            if isinstance(node, ast.Return) and node.value is not None
        ]

    def _values_of(self, name: str, at: ast.AST) -> list[ast.expr]:
        """Give what a name may stand for: what was put into it before, back to where nothing earlier can have remained."""
        function = self.functions.get(at)
        while function is not None:
            values: list[ast.expr] = []
            before = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Assign | ast.AugAssign)
                and (node.lineno <= _line(at) or self._is_repeated_with(node, at))
            ]
            for node in sorted(before, key=_line, reverse=True):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                given = [value for target in targets for value in _assigned(target, node.value, name)]
                values += given
                is_certain = self.blocks[node][-1] in self.blocks[at] and isinstance(node, ast.Assign)
                if given and is_certain and node.lineno <= _line(at):
                    break
            if values:
                return values
            function = self.functions.get(function)
        return [
            node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and target.id == name
        ]

    def _is_repeated_with(self, node: ast.AST, at: ast.AST) -> bool:
        """Tell whether both stand in one loop, so that what is below was there before."""
        return any(
            isinstance(block[0], ast.For | ast.While) and block in self.blocks[at] for block in self.blocks[node]
        )

    def _returned(self, name: str, depth: int) -> list[tuple[str, ...]]:
        """Give what a function of the module may return."""
        return [parts for value, place in self._returns(name) for parts in self._resolved(value, place, depth + 1)]


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _assigned(target: ast.expr, value: ast.expr, name: str) -> list[ast.expr]:
    if isinstance(target, ast.Name):
        return [value] if target.id == name else []
    if isinstance(target, ast.Tuple):
        if isinstance(value, ast.IfExp):
            return _assigned(target, value.body, name) + _assigned(target, value.orelse, name)
        if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
            return [v for t, one in zip(target.elts, value.elts, strict=True) for v in _assigned(t, one, name)]
    return []


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return (*first[:-1], first[-1] + second[0], *second[1:])


def _stripped(parts: tuple[str, ...]) -> tuple[str, ...]:
    return (parts[0].strip(),) if len(parts) == 1 else (parts[0].lstrip(), *parts[1:-1], parts[-1].rstrip())


def _may_be_said(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.Name)


def _is_sentence(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Constant) and " " in str(one.value) for one in ast.walk(node))


def _values_in(value: ast.expr) -> list[ast.expr]:
    return value.values if isinstance(value, ast.Dict) else []


def _arguments(
    call: ast.Call, places: tuple[int, int], names: tuple[str, str] = ("message", "remedy")
) -> list[ast.expr | None]:
    named = {k.arg: k.value for k in call.keywords}
    return [
        named.get(name) or (call.args[place] if 0 <= place < len(call.args) else None)
        for name, place in zip(names, places, strict=True)
    ]


def _name(call: ast.Call) -> str:
    function = call.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
