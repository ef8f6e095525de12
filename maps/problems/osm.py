"""OpenStreetMap: its files, and the rules by which layers are made of them."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("The OpenStreetMap file cannot be read: %(reason)s."),
    gettext_noop("Download or copy it again; it may be cut off."),
    gettext_noop("Download or copy it again."),
    gettext_noop("%(n)s open ways have the tags of “%(rule)s”, but enclose no area, and were left out."),
    gettext_noop("Draw them closed in OpenStreetMap, or read them with a rule for lines."),
    gettext_noop("%(n)s values are not of the type that the rule gives “%(name)s”, and were left out."),
    gettext_noop("Correct them in OpenStreetMap."),
    gettext_noop("Cut it to the city, or narrow the rule."),
    gettext_noop("The .pbf file is broken at block %(block)s: its header has an impossible length."),
    gettext_noop("The .pbf file is broken at block %(block)s: its header cannot be read."),
    gettext_noop("The .pbf file is broken at block %(block)s: it is a %(kind)s."),
    gettext_noop("The .pbf file is broken at block %(block)s: the file is cut off."),
    gettext_noop("The .pbf file is broken at block %(block)s: it is not packed with zlib, as .pbf files commonly are."),
    gettext_noop("The .pbf file is broken at block %(block)s: it cannot be unpacked."),
    gettext_noop("The .pbf file is broken at block %(block)s: it does not unpack to the %(size)s bytes it says."),
    gettext_noop("The .pbf file has no data."),
    gettext_noop("The .pbf file unpacks to more than %(size)s MB."),
    gettext_noop("Block %(block)s of the .pbf file unpacks to %(size)s MB."),
    gettext_noop("Cut the area of the city out of it, with Osmium for example."),
    gettext_noop("There is no rule “%(rule)s”."),
    gettext_noop("The rules take more than 1 MB."),
    gettext_noop("Write fewer."),
    gettext_noop("Correct the line."),
)
