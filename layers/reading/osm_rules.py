"""What becomes a layer of OpenStreetMap data: rules in a file that a planner can read and change.

A rule says which things it takes, by their tags; what they become (points, lines or areas); and which of their tags
become attributes. The rules that come with the program are in ``fixtures/taxonomy/osm_rules.toml``.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from layers.reading.plan import Problem, RefusedError
from layers.reading.toml_section import Lines, Section, shown, suggestion

Geometry: TypeAlias = Literal["point", "line", "polygon", "any"]
Tags: TypeAlias = Mapping[str, str]

#: Any value of a tag will do.
ANY: Final = "*"
#: Attribute that names a thing for good: ``node/…``, ``way/…`` or ``relation/…`` with its number.
KEY_FIELD: Final = "osm_id"
PURPOSES: Final = ("general", "facilities", "network", "zones")
GEOMETRIES: Final[tuple[Geometry, ...]] = ("point", "line", "polygon", "any")
TYPES: Final = ("text", "integer", "number", "boolean")

_FILE: Final = Path(__file__).resolve().parents[2] / "fixtures" / "taxonomy" / "osm_rules.toml"
_MAX_BYTES: Final = 1 << 20
_MAX_RULES: Final = 200
_MAX_ALTERNATIVES: Final = 100
_MAX_TAGS: Final = 300
_MAX_DOTS: Final = 100
_LINE: Final = 80
_TAG: Final = re.compile(r"[A-Za-z0-9_:.-]{1,80}")
# What the reader of the files calls columns of its own.
_READERS_OWN: Final = frozenset({KEY_FIELD, "osm_way_id", "all_tags", "other_tags", "wkb_geometry"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NUMBER: Final = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([a-z\"'°%]*)", re.IGNORECASE)
# Lengths as people write them, in metres; what has no unit is in the unit that OpenStreetMap supposes.
_METRES: Final = {"": 1.0, "m": 1.0, "cm": 0.01, "mm": 0.001, "km": 1000.0, "ft": 0.3048, "'": 0.3048, "mi": 1609.344}
_TRUE: Final = frozenset({"yes", "true", "1", "designated", "permissive"})
_FALSE: Final = frozenset({"no", "false", "0"})


@dataclass(frozen=True, slots=True)
class Condition:
    """Tags that must all be there, each with one of some values.

    Attributes
    ----------
    tags
        Tag to the values allowed; ``("*",)`` allows any.
    """

    tags: tuple[tuple[str, tuple[str, ...]], ...]

    def holds(self, tags: Tags) -> bool:
        """Say whether all of them are there.

        Examples
        --------
        >>> Condition((("amenity", ("clinic", "doctors")),)).holds({"amenity": "clinic;pharmacy"})
        True
        """
        return all(_has(tags.get(tag), values) for tag, values in self.tags)


@dataclass(frozen=True, slots=True)
class TagAttribute:
    """An attribute and the tags it is taken from: the first that is there.

    Attributes
    ----------
    name
        Name of the attribute.
    tags
        Tags, in order of preference.
    type
        ``text``, ``integer``, ``number`` or ``boolean``.
    unit
        ``m``, ``cm`` or ``mm``: the unit the attribute is in; values in other units of length are converted. Empty for none.
    """

    name: str
    tags: tuple[str, ...]
    type: str = "text"
    unit: str = ""

    def of(self, tags: Tags) -> str | int | float | bool | None:
        """Give the value for a thing; None if it has none, or none of this type.

        Examples
        --------
        >>> TagAttribute("width_m", ("width",), "number", "m").of({"width": "3,5 m"})
        3.5
        >>> TagAttribute("diameter_mm", ("diameter",), "number", "mm").of({"diameter": "300"})
        300.0
        >>> TagAttribute("lanes", ("lanes",), "integer").of({"lanes": "two"})
        """
        text = next((tags[tag] for tag in self.tags if tag in tags), None)
        if text is None or self.type == "text":
            return text
        if self.type == "boolean":
            return True if text in _TRUE else False if text in _FALSE else None
        match = _NUMBER.match(text.strip())
        if match is None:
            return None
        number, unit = float(match[1].replace(",", ".")), match[2].lower()
        if self.unit:
            if unit not in _METRES:
                return None
            number = number if not unit else number * _METRES[unit] / _METRES[self.unit]
        if self.type == "integer":
            return int(number) if number.is_integer() and abs(number) < 2**53 else None
        return number


@dataclass(frozen=True, slots=True)
class Rule:
    """One layer that can be made of OpenStreetMap data.

    Attributes
    ----------
    code
        What it is chosen by; the service's own code for one of its facilities.
    geometry
        What its rows are; ``any`` keeps each thing as it is, and suits data of one kind only.
    where
        Alternatives: a thing is taken if any of them holds.
    unless
        It is not taken if any of these holds.
    attributes
        What is kept of its tags, beside ``osm_id``.
    service, theme, purpose, name_fa, name_en
        What the layer is for.
    """

    code: str
    geometry: Geometry
    where: tuple[Condition, ...]
    unless: tuple[Condition, ...] = ()
    attributes: tuple[TagAttribute, ...] = ()
    service: str = ""
    theme: str = ""
    purpose: str = "general"
    name_fa: str = ""
    name_en: str = ""

    def takes(self, tags: Tags) -> bool:
        """Say whether a thing with these tags belongs to the layer."""
        return any(condition.holds(tags) for condition in self.where) and not any(
            condition.holds(tags) for condition in self.unless
        )

    @property
    def needed_tags(self) -> tuple[tuple[str, ...], ...]:
        """For each alternative, the tags without which it cannot hold."""
        return tuple(tuple(tag for tag, _ in condition.tags) for condition in self.where)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules by which OpenStreetMap data are read."""

    rules: tuple[Rule, ...] = field(default_factory=tuple)

    def of(self, code: str) -> Rule:
        """Give the rule with a code.

        Raises
        ------
        RefusedError
            If there is none.
        """
        for rule in self.rules:
            if rule.code == code:
                return rule
        known = [rule.code for rule in self.rules]
        raise RefusedError("no_such_layer", f"There is no rule '{code[:100]}'.", suggestion(code, known))

    def changed_by(self, own: "Rules") -> "Rules":
        """Give these rules with some of another's in the place of those of the same code; its further ones come first."""
        changed = {rule.code: rule for rule in own.rules}
        known = {rule.code for rule in self.rules}
        new = tuple(rule for rule in own.rules if rule.code not in known)
        return Rules((*new, *(changed.get(rule.code, rule) for rule in self.rules)))


class RulesError(Exception):
    """Rules that cannot be used; carries every problem, each with its line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@cache
def default_rules() -> Rules:
    """Give the rules that come with the program."""
    return rules_of(_FILE.read_text(encoding="utf-8"))


def rules_of(text: str) -> Rules:
    """Read rules from TOML.

    Raises
    ------
    RulesError
        With every mistake in it, each with its line.

    Examples
    --------
    >>> text = '''
    ... format = 1
    ... [[rules]]
    ... code = "mosques"
    ... geometry = "point"
    ... where = { amenity = ["place_of_worship"], religion = ["muslim"] }
    ... attributes = { capacity = { tag = "capacity", type = "integer" } }
    ... '''
    >>> rules_of(text).of("mosques").takes({"amenity": "place_of_worship", "religion": "muslim"})
    True
    """
    if len(text.encode(errors="replace")) > _MAX_BYTES:
        raise RulesError([Problem("error", "file_too_large", "The rules take more than 1 MB.", "Write fewer.")])
    for number, line in enumerate(text.splitlines(), start=1):
        if line.count(".") > _MAX_DOTS:  # of a key with very many parts, reading takes the square of their number
            message = f"The line has more than {_MAX_DOTS} points."
            raise RulesError([Problem("error", "broken_toml", message, "Correct the line.", number)])
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = re.search(r"line (\d+)", str(error))
        raise RulesError(
            [
                Problem(
                    "error",
                    "broken_toml",
                    f"The text is not TOML: {str(error)[:200]}.",
                    "Correct the line.",
                    int(at[1]) if at else None,
                )
            ]
        ) from error
    problems: list[Problem] = []
    lines = Lines(text)
    top = Section("", data, problems, lines)
    if top.raw("format") != 1:
        top.problem("format", "'format' is not 1.", "Write format = 1 on the first line.")
    common = _attributes(top, "attributes")
    tables = top.raw("rules")
    if not isinstance(tables, list) or not 0 < len(tables) <= _MAX_RULES:
        top.problem("rules", f"there are no rules, or more than {_MAX_RULES}.", "Write each as [[rules]].")
        tables = []
    found = [
        _rule(Section("rules", table, problems, lines, position=position, numbered=True), common)
        for position, table in enumerate(tables, start=1)
    ]
    if len({tag for rule in found for needed in rule.needed_tags for tag in needed}) > _MAX_TAGS:
        top.problem("rules", f"the rules look for more than {_MAX_TAGS} different tags.", "Write fewer.")
    top.finish()
    codes = [rule.code for rule in found]
    for position, code in enumerate(codes, start=1):
        if code and codes.index(code) != position - 1:
            section = Section("rules", tables[position - 1], problems, lines, position=position, numbered=True)
            section.problem("code", f"there are two rules '{code}'.", "Give each a code of its own.")
    if problems:
        raise RulesError(problems)
    return Rules(tuple(found))


def rules_text(rules: Sequence[Rule]) -> str:
    """Write rules as TOML, each with all its attributes, so that a person can change them.

    Examples
    --------
    >>> print(rules_text([Rule("wells", "point", (Condition((("man_made", ("water_well",)),)),))]))
    format = 1
    <BLANKLINE>
    [[rules]]
    code = "wells"
    purpose = "general"
    geometry = "point"
    where = { man_made = ["water_well"] }
    <BLANKLINE>
    """
    return "\n".join(["format = 1\n", *map(rule_text, rules)])


def rule_text(rule: Rule) -> str:
    """Write one rule as the table that it is in `rules_text`."""
    said = {
        "code": rule.code if rule.code != rule.service else "", "service": rule.service, "name_fa": rule.name_fa,
        "name_en": rule.name_en, "theme": rule.theme, "purpose": rule.purpose, "geometry": rule.geometry,
    }  # fmt: skip
    lines = ["[[rules]]", *(f"{name} = {_quoted(text)}" for name, text in said.items() if text)]
    lines.append(f"where = {_alternatives(rule.where)}")
    if rule.unless:
        one = Condition(tuple(pair for condition in rule.unless for pair in condition.tags))
        is_one = len({tag for tag, _ in one.tags}) == len(one.tags)
        lines.append(f"not = {_alternatives((one,) if is_one else rule.unless)}")
    if rule.attributes:
        lines += ["", "[rules.attributes]", *map(_attribute_text, rule.attributes)]
    return "\n".join(lines) + "\n"


def _alternatives(conditions: Sequence[Condition]) -> str:
    tables = [
        "{ " + ", ".join(f"{_key(tag)} = {_values(values)}" for tag, values in one.tags) + " }" for one in conditions
    ]
    return tables[0] if len(tables) == 1 else "[\n" + "".join(f"    {table},\n" for table in tables) + "]"


def _values(values: Sequence[str]) -> str:
    """Write a list; a long one on several lines."""
    if values == (ANY,):
        return _quoted(ANY)
    texts = [_quoted(value) for value in values]
    if len(whole := ", ".join(texts)) <= _LINE:
        return f"[{whole}]"
    lines = [""]
    for text in texts:
        lines += [""] if lines[-1] and len(lines[-1]) + len(text) > _LINE else []
        lines[-1] += f"{text}, "
    return "[\n" + "".join(f"    {line.rstrip()}\n" for line in lines) + "]"


def _attribute_text(attribute: TagAttribute) -> str:
    tags = _quoted(attribute.tags[0]) if len(attribute.tags) == 1 else _values(attribute.tags)
    if attribute.type == "text":
        return f"{attribute.name} = {tags}"
    unit = f", unit = {_quoted(attribute.unit)}" if attribute.unit else ""
    return f"{attribute.name} = {{ tag = {tags}, type = {_quoted(attribute.type)}{unit} }}"


def _key(tag: str) -> str:
    return tag if re.fullmatch(r"[A-Za-z0-9_-]+", tag) else _quoted(tag)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _rule(section: Section, common: tuple[TagAttribute, ...]) -> Rule:
    service = section.slug("service", what="service") if "service" in section else ""
    code = section.slug("code") if "code" in section or not service else service
    where = _conditions(section, "where")
    if not where:
        section.problem(
            "where", "nothing says which things are taken.", 'Write, for example, where = { amenity = ["clinic"] }.'
        )
    own = _attributes(section, "attributes")
    names = {attribute.name for attribute in own}
    rule = Rule(
        code,
        section.choice("geometry", GEOMETRIES) or "any",  # type: ignore[arg-type]
        where,
        _conditions(section, "not"),
        (*(attribute for attribute in common if attribute.name not in names), *own),
        service,
        section.slug("theme", what="theme") if "theme" in section else "",
        section.choice("purpose", PURPOSES, required=False) or ("facilities" if service else "general"),
        section.text("name_fa"),
        section.text("name_en"),
    )
    section.finish()
    return rule


def _conditions(section: Section, key: str) -> tuple[Condition, ...]:
    value = section.raw(key)
    if value is None:
        return ()
    found = []
    if isinstance(value, list) and len(value) > _MAX_ALTERNATIVES:
        section.problem(key, f"'{key}' has more than {_MAX_ALTERNATIVES} alternatives.", "Write fewer.")
        return ()
    for table in value if isinstance(value, list) else [value]:
        if not isinstance(table, dict) or not table:
            section.problem(key, f"'{key}' is {shown(table)}.", f'Write {key} = {{ amenity = ["clinic", "doctors"] }}.')
            continue
        tags = []
        for tag, allowed in table.items():
            values = [allowed] if isinstance(allowed, str) else allowed
            if not _TAG.fullmatch(tag) or tag.lower() in _READERS_OWN:
                section.problem(key, f"{shown(tag)} cannot be a tag.", "Use letters, digits, and : _ . -")
            elif not isinstance(values, list) or not values or not all(isinstance(item, str) for item in values):
                section.problem(
                    key,
                    f"the values of {shown(tag)} are {shown(allowed)}.",
                    f'Write {tag} = ["one", "two"], or {tag} = "*".',
                )
            else:
                tags.append((tag, tuple(values)))
        found.append(Condition(tuple(tags)))
    # A condition of `not` with several tags excludes by each of them, as it reads.
    return tuple(Condition((tag,)) for condition in found for tag in condition.tags) if key == "not" else tuple(found)


def _attributes(section: Section, key: str) -> tuple[TagAttribute, ...]:
    value = section.raw(key)
    if value is None:
        return ()
    if not isinstance(value, dict):
        section.problem(key, f"'{key}' is {shown(value)}.", f'Write {key} = {{ name = "name" }}.')
        return ()
    found = []
    for name, given in value.items():
        table: dict[str, Any] = given if isinstance(given, dict) else {"tag": given}
        tags = table.get("tag")
        tags = [tags] if isinstance(tags, str) else tags
        kind, unit = table.get("type", "text"), table.get("unit", "")
        if not _NAME.fullmatch(name) or name == KEY_FIELD:
            section.problem(key, f"{shown(name)} cannot be an attribute.", "Use small letters, digits and underscores.")
        elif (
            not isinstance(tags, list)
            or not tags
            or not all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in tags)
            or table.keys() - {"tag", "type", "unit"}
        ):
            section.problem(
                key,
                f"the attribute '{name}' is {shown(given)}.",
                f'Write {name} = "tag", {name} = ["tag", "other tag"] or {name} = {{ tag = "width", type = "number" }}.',
            )
        elif kind not in TYPES:
            section.problem(key, f"the type of '{name}' is {shown(kind)}.", suggestion(str(kind)[:80], TYPES))
        elif unit and (unit not in ("m", "cm", "mm") or kind not in ("number", "integer")):
            section.problem(key, f"the unit of '{name}' is {shown(unit)}.", "Give a number the unit m, cm or mm.")
        else:
            found.append(TagAttribute(name, tuple(tags), kind, unit))
    return tuple(found)


def _has(value: str | None, allowed: tuple[str, ...]) -> bool:
    if value is None:
        return False
    # Several values in one tag are separated by semicolons.
    return (
        allowed == (ANY,) or value in allowed or (";" in value and any(v.strip() in allowed for v in value.split(";")))
    )
