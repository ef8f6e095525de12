"""How the options of reading are called where a message is read: in a command, or in the description of a city."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# In the readers' messages an option stands between two characters of private use, until a wording puts it into words.
_OPTION: Final = re.compile("\ue000([a-z_]+)(?:=([^\ue001]*))?\ue001")


def option(name: str, value: object = "") -> str:
    """Give an option of `layers.reading.read_file` as it stands in a remedy, with the value advised if there is one."""
    return f"\ue000{name}={value}\ue001" if value != "" else f"\ue000{name}\ue001"


@dataclass(frozen=True, slots=True)
class Wording:
    """The caller's words for options.

    Attributes
    ----------
    with_value, alone
        How an option is written with a value and without one; ``{name}`` and ``{value}`` are put in.
    renamed
        Options that the caller calls otherwise.
    quoted
        Options whose value is a text, and stands in quotation marks.
    values
        Options that are advised with this value.
    dashed
        Whether names have hyphens for underscores.
    """

    with_value: str
    alone: str
    renamed: Mapping[str, str]
    quoted: frozenset[str] = frozenset()
    values: Mapping[str, str] | None = None
    dashed: bool = False

    def say(self, text: str) -> str:
        """Put the options of a text into words.

        Examples
        --------
        >>> COMMAND.say(f"Use {option('source_epsg', 32639)}."), DESCRIPTION.say(f"Use {option('source_epsg', 32639)}.")
        ('Use --source-epsg 32639.', 'Use `source_epsg = 32639`.')
        """
        return _OPTION.sub(self._said, text)

    def _said(self, found: re.Match[str]) -> str:
        name, value = found[1], found[2] or (self.values or {}).get(found[1], "")
        called = self.renamed.get(name, name)
        called = called.replace("_", "-") if self.dashed else called
        value = f'"{value}"' if value and name in self.quoted else value
        return self.with_value.format(name=called, value=value) if value else self.alone.format(name=called)


COMMAND: Final = Wording(with_value="--{name} {value}", alone="--{name}", renamed={}, dashed=True)
"""Of the commands that read one file."""

DESCRIPTION: Final = Wording(
    with_value="`{name} = {value}`",
    alone="`{name}`",
    renamed={"layer": "file_layer"},
    quoted=frozenset({"encoding"}),
    values={"repair": "true"},
)
"""Of the description of a city (``docs/city-description.md``)."""

PAGE: Final = Wording(
    with_value="“{name}: {value}”",
    alone="“{name}”",
    renamed={
        "fields": "attributes",
        "source_epsg": "reference system",
        "x_field": "column of longitudes",
        "y_field": "column of latitudes",
    },
)
"""Of a page on which a file is brought; `maps.problems` knows these names in the reader's language."""
