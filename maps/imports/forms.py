"""What people say in the forms of an upload: which layer it is for, how it is to be read, what its fields become.

A form that cannot be used as it is comes back with everything in it, and says at each entry what is wrong there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from django.utils.translation import gettext as _
from pydantic import ValidationError

from geo.core.text import clean_name, slugify
from geo.errors import InvalidInput
from layers.models import Layer
from layers.reading.osm_rules import RulesError
from layers.services.osm_rules import MOST_CHARACTERS
from maps.imports import joins, osm
from maps.imports.bodies import Options, Rule, storable
from maps.pages import formats
from maps.pages.dates import day_typed
from maps.pages.reader import language
from maps.problems import text_told
from maps.reviews.forms import number_from

Do = Literal["examine", "store", "cancel"]
DOS: Final[tuple[Do, ...]] = ("examine", "store", "cancel")
WHICH: Final = ("later", "existing", "new")

NEW_LAYER: Final = (
    "name_fa", "name_en", "source", "source_fa", "owner", "licence", "theme", "purpose", "visibility", "code", "key_field",
)  # fmt: skip
REQUIRED: Final = ("name_fa", "name_en", "source", "reference_date", "theme")
MOST_TEXT: Final = 300
MOST_FAULTS: Final = 20

_TEXTS: Final = ("encoding", "x_field", "y_field", "wkt_field", "code_field")
_CANDIDATE: Final = re.compile(r"(\d{4,6}):([01]):(\d{1,3}(?:\.\d{1,6})?)")


@dataclass(slots=True)
class Target:
    """Which layer a file is for, as it was said, and what cannot be used of it.

    Attributes
    ----------
    which : str
        ``existing``, ``new``, or ``later`` where it is not decided yet.
    values : dict of str
        What stands in the entries, as written.
    reference_date : date, optional
        The day that the data describe.
    organisation : str
        Code of the organisation that the file comes from; empty for none.
    wrong : dict of str
        By entry, what is wrong with it.
    """

    which: str = "later"
    layer: str = ""
    values: dict[str, str] = field(default_factory=dict)
    reference_date: date | None = None
    organisation: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def new_layer(self) -> dict[str, str]:
        """What a new layer should be; empty where none is made."""
        if self.which != "new":
            return {}
        return {name: self.values[name] for name in NEW_LAYER if self.values.get(name)}

    def blame(self, error: InvalidInput) -> bool:
        """Put an error of a layer's description at its entry; return whether there is one for it."""
        name = error.where.removeprefix("new_layer.")
        if not error.where.startswith("new_layer.") or name not in (*NEW_LAYER, "reference_date"):
            return False
        self.wrong[name] = _("This cannot be used here.")
        if error.code == "layer_exists":
            self.wrong[name] = _("The city has a layer with this code; choose it above, or write another code.")
        elif name == "code":
            self.wrong[name] = _("Use small Latin letters, digits and hyphens, as in primary-schools.")
        return True


def target_from(said: Mapping[str, str], *, is_whole: bool = False) -> Target:
    """Read which layer a file is for.

    Parameters
    ----------
    is_whole : bool
        Whether a layer has to be there: to store, not to look.
    """
    target = Target(
        which=said.get("which", "") if said.get("which", "") in WHICH else "later",
        layer=said.get("layer", "")[:60],
        values={name: _line(said.get(name, "")) for name in NEW_LAYER},
        organisation=said.get("organisation", "")[:60],
    )
    target.values["reference_date"] = said.get("reference_date", "")[:40].strip()
    if target.values["reference_date"]:
        try:
            target.reference_date = day_typed(target.values["reference_date"], "reference_date")
        except InvalidInput:
            target.wrong["reference_date"] = _("This is no day.")
    if target.which == "existing" and not target.layer:
        target.wrong["layer"] = _("Choose the layer.")
    if target.which == "later" and is_whole:
        target.wrong["which"] = _("Say which layer the file is for.")
    if target.which == "new":
        for name in REQUIRED:
            if not target.values[name] and name not in target.wrong:
                target.wrong[name] = _("This is needed.")
        if not target.values["code"] and target.values["name_en"]:
            target.values["code"] = slugify(target.values["name_en"])[:60].strip("-")
    return target


def with_key(target: Target, said: Mapping[str, str], mapping: Sequence[Mapping[str, Any]] | None) -> None:
    """Say by which field a new layer's releases are compared: the name that the chosen field of the file gets."""
    chosen = said.get("key", "")
    kept = [rule for rule in mapping or [] if rule["source"] == chosen and rule["keep"]]
    target.values["key_field"] = str(kept[0]["name"])[:80] if kept else ""


def target_of(upload: Any) -> Target:
    """Return which layer an upload is for, as it stands."""
    which = "existing" if upload.layer_id else "new" if upload.new_layer else "later"
    values = {name: str(upload.new_layer.get(name, "")) for name in NEW_LAYER}
    values["reference_date"] = formats.day_in_figures(upload.reference_date, language())
    return Target(
        which=which,
        layer=upload.layer.code if upload.layer_id else "",
        values=values,
        reference_date=upload.reference_date,
        organisation=str(upload.options.get("organisation", "")),
    )


@dataclass(frozen=True, slots=True)
class RuleFault:
    """A mistake in rules that somebody wrote, in the reader's language."""

    line: int | None
    message: str
    remedy: str


@dataclass(slots=True)
class Reading:
    """How a file is to be read, as it was said.

    Attributes
    ----------
    version : int, optional
        Of the upload that the person looked at.
    options : dict
        Checked options of reading, without those left to the file.
    mapping : list of dict, optional
        What each field becomes; None where the form has no fields.
    rule_faults : tuple of RuleFault
        What is wrong with the rules for OpenStreetMap, each with its line.
    wrong : dict of str
        By entry, what is wrong with it.
    """

    do: Do
    version: int | None
    options: dict[str, Any]
    mapping: list[dict[str, Any]] | None
    epsg: str = ""
    rule_faults: tuple[RuleFault, ...] = ()
    wrong: dict[str, str] = field(default_factory=dict)


def reading_from(
    said: Mapping[str, str], kept: Mapping[str, Any], columns: Sequence[str], rules: Sequence[Mapping[str, Any]] = ()
) -> Reading:
    """Read how a file is to be read; parts that the form did not have stay as they are.

    Parameters
    ----------
    kept : mapping
        The options as they stand.
    columns : sequence of str
        The fields of the file, which the form numbers.
    rules : sequence of dict
        What each becomes as it stands: of fields that the form does not show, it stays.

    Raises
    ------
    InvalidInput
        Where the form does not say what to do.
    """
    do = next((known for known in DOS if known == said.get("do", "")), None)
    if do is None:
        raise InvalidInput(
            "The form does not say what to do.",
            code="bad_step",
            where="do",
            remedy=f"Choose one of {', '.join(DOS)}.",
        )
    parts = set(said.get("parts", "").split())
    asked = Reading(do, number_from(said.get("version", "")), {}, None)
    options = {name: value for name, value in kept.items() if name != "organisation"}
    if "crs" in parts:
        _crs(said, options, asked)
    if "file-layer" in parts:
        options["layer"] = said.get("file-layer", "")
    for name in _TEXTS:
        if name in parts:
            options[name] = said.get(name, "").strip()[:200]
    if "join" in parts:
        joins.join_from(said, options, columns)
        if options.get("join_layer") and not options.get("code_field"):
            asked.wrong["code_field"] = _("Name the column with codes or names.")
            options.pop("join_layer")
    if "rules" in parts:
        _rules(said, options, asked)
    if "raster" in parts:
        options["band"] = number_from(said.get("band", ""))
        options["non_negative"] = bool(said.get("non_negative"))
    if "repair" in parts:
        options["repair"] = bool(said.get("repair"))
    if "fields" in parts:
        asked.mapping = _mapping(said, columns, rules, asked)
        name_field = said.get("name-field", "")
        options["name_field"] = name_field if name_field in columns else ""
    wanted = {name: value for name, value in options.items() if value not in (None, "", False)}
    try:
        asked.options = Options.model_validate(storable(wanted, "options")).said()
    except ValidationError as error:
        for one in error.errors():
            asked.wrong[str(one["loc"][0]) if one["loc"] else "options"] = _("This cannot be used here.")
    return asked


def _crs(said: Mapping[str, str], options: dict[str, Any], asked: Reading) -> None:
    chosen = said.get("crs", "")
    for name in ("source_epsg", "swap_xy", "scale"):
        options.pop(name, None)
    candidate = _CANDIDATE.fullmatch(chosen)
    if candidate is not None:
        scale = float(candidate[3])
        options |= {"source_epsg": int(candidate[1]), "swap_xy": candidate[2] == "1"}
        options |= {"scale": scale} if scale not in (0, 1) else {}
    elif chosen == "other":
        asked.epsg = said.get("epsg", "")[:20].strip()
        number = number_from(re.sub(r"(?i)^\s*epsg\s*:\s*", "", asked.epsg))
        if number is None or not 1024 <= number <= 999_999:
            asked.wrong["epsg"] = _("Write the number of the system, such as 32639.")
        else:
            options["source_epsg"] = number


def _rules(said: Mapping[str, str], options: dict[str, Any], asked: Reading) -> None:
    """Read rules for OpenStreetMap; what says nothing else than the program's own is not kept."""
    text = said.get("rules", "").replace("\r\n", "\n").strip()
    options.pop("rules", None)
    if not text:
        return
    options["rules"] = f"{text}\n"
    if len(text) >= MOST_CHARACTERS:
        asked.wrong["rules"] = _("The rules are too long.")
        return
    try:
        if osm.is_ours(text):
            options.pop("rules")
    except RulesError as error:
        asked.rule_faults = tuple(
            RuleFault(one.row, text_told(one.message), text_told(one.remedy)) for one in error.problems[:MOST_FAULTS]
        )
        asked.wrong["rules"] = _("The rules cannot be used as they stand.")


def _mapping(
    said: Mapping[str, str], columns: Sequence[str], kept: Sequence[Mapping[str, Any]], asked: Reading
) -> list[dict[str, Any]] | None:
    """Read what the fields become: from one text where a script gathered it, else entry by entry."""
    given = said.get("mapping", "")
    try:
        rows = json.loads(given) if given else [_row(said, number, name) for number, name in enumerate(columns)]
        rules = [Rule.model_validate(storable(row, "mapping")).model_dump() for row in rows if row is not None]
    except (ValueError, TypeError, RecursionError):  # of which pydantic's is one
        asked.wrong["fields"] = _("The fields cannot be used as they stand: look at names, types and units.")
        return None
    shown = {rule["source"] for rule in rules}
    rules += [dict(rule) for rule in kept if rule["source"] not in shown]
    names = [rule["name"] for rule in rules if rule["keep"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        asked.wrong["fields"] = _("Two fields would be called %(name)s.") % {"name": f"\u2068{twice[0]}\u2069"}
    halves = [rule for rule in rules if rule["keep"] and bool(rule["unit_from"]) and not rule["unit_to"]]
    if halves and "fields" not in asked.wrong:
        asked.wrong["fields"] = _("The unit of %(name)s is changed from one, but not to one.") % {
            "name": f"\u2068{halves[0]['source']}\u2069"
        }
    return rules


def _row(said: Mapping[str, str], number: int, source: str) -> dict[str, Any] | None:
    if f"name-{number}" not in said:
        return None
    return {
        "source": source,
        "name": said.get(f"name-{number}", ""),
        "type": said.get(f"type-{number}", "") or None,
        "unit_from": said.get(f"from-{number}", ""),
        "unit_to": said.get(f"to-{number}", ""),
        "keep": bool(said.get(f"keep-{number}")),
    }


def _line(text: str) -> str:
    return clean_name(text.replace("\x00", ""))[:MOST_TEXT]


def is_changed(upload: Any, asked: Reading, target: Target) -> bool:
    """Tell whether a form says anything else than what the upload was examined with."""
    options = {name: value for name, value in upload.options.items() if name != "organisation"}
    known = {name: value for name, value in options.items() if value not in (None, "", False)}
    suggested = (upload.report or {}).get("name_field")
    wanted = dict(asked.options)
    if "name_field" not in known and wanted.get("name_field") == suggested:
        wanted.pop("name_field", None)
    if wanted != known or (asked.mapping is not None and plain(asked.mapping) != plain(upload.mapping)):
        return True
    stands = target_of(upload)
    if target.which == "later":
        return False
    if target.which == "existing" and target.layer != stands.layer:
        return True
    if target.which == "new" and (stands.which != "new" or target.new_layer != stands.new_layer):
        return True
    is_date = target.reference_date is not None and target.reference_date != upload.reference_date
    return is_date or target.organisation != stands.organisation


def plain(rules: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return rules for fields in a form in which equal ones are equal."""
    return [
        (
            rule["source"],
            rule.get("name") or rule["source"],
            rule.get("type") or None,
            rule.get("unit_from") or "",
            (rule.get("unit_to") or "") if rule.get("unit_from") else "",
            rule.get("keep", True),
        )
        for rule in rules
    ]


def purposes() -> list[tuple[str, str]]:
    """Return what a layer can stand for."""
    return [(str(value), str(label)) for value, label in Layer.Purpose.choices]


def visibilities() -> list[tuple[str, str]]:
    """Return who a layer can be seen by; the most careful first."""
    return [(str(value), str(label)) for value, label in reversed(Layer.Visibility.choices)]
