"""Files that point to other files or to the network: nothing but the file itself is opened, nothing is left behind.

The proof does not rest on what the reader says: the kernel tells of every opening of the secret (inotify), and a
listening socket of every attempt to connect.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import socket
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from layers.reading import Plan, RasterPlan, gdal_options, read_file, summary
from layers.reading.gdal_options import DRIVERS, OPTIONS, registered_drivers

IN_ACCESS, IN_MODIFY, IN_OPEN, IN_CREATE, IN_DELETE = 0x1, 0x2, 0x20, 0x100, 0x200
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
PLACEMARK = "<Placemark><name>here</name>{}<Point><coordinates>48.3,33.4</coordinates></Point></Placemark>"
GPX = '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">{}</gpx>'
GML = (
    '<ogr:FeatureCollection xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml/3.2" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{}>'
    '<ogr:featureMember><ogr:a gml:id="a.1"><ogr:name>here</ogr:name>{}'
    '<ogr:geom><gml:Point gml:id="g1" srsName="{}"><gml:pos>33.4 48.3</gml:pos></gml:Point></ogr:geom>'
    "</ogr:a></ogr:featureMember></ogr:FeatureCollection>"
)
EPSG = "urn:ogc:def:crs:EPSG::4326"
OSM = '<osm version="0.6"><node id="1" lat="33.4" lon="48.3"><tag k="amenity" v="{}"/></node></osm>'


class Watch:
    """What happens to a file, or within a folder, from now on."""

    def __init__(self, path: Path, mask: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK)
        assert self._fd >= 0
        assert libc.inotify_add_watch(self._fd, os.fsencode(path), mask) >= 0

    def events(self) -> list[str]:
        """What happened since this was asked last."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                data += os.read(self._fd, 1 << 16)
        found, at = [], 0
        while at < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, at)
            found.append(f"{mask:#x} {data[at + 16 : at + 16 + length].rstrip(bytes(1)).decode()}")
            at += 16 + length
        return found

    def close(self) -> None:
        os.close(self._fd)


class Trap:
    """A secret file, a server, and folders that must stay as they are."""

    def __init__(self, folder: Path) -> None:
        outside = folder / "outside"
        outside.mkdir()
        self.secret = outside / "secret.kml"
        self.secret.write_text(KML.format(PLACEMARK.format("").replace("here", "CANARY")))
        (outside / "secret.xsd").write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>')
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.staging = folder / "staging"
        self.staging.mkdir()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._watches = [
            Watch(self.secret, IN_OPEN | IN_ACCESS),
            Watch(outside / "secret.xsd", IN_OPEN | IN_ACCESS),
            Watch(outside, IN_CREATE | IN_DELETE | IN_MODIFY),
            Watch(self.inbox, IN_CREATE | IN_DELETE | IN_MODIFY),
        ]

    def read(self, name: str, content: str | bytes | Callable[[Path], None], **options: Any) -> Plan | RasterPlan:
        """Put a file into the inbox and read it; then look at what happened."""
        path = self.inbox / name
        if callable(content):
            content(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.forget_the_inbox()
        plan = read_file(path, **options)
        self.require_untouched()
        path.unlink()
        assert "CANARY" not in repr(plan) + summary(plan)
        assert "CANARY" not in repr(getattr(plan, "rows", None) and list(plan.rows.attributes()))
        return plan

    def forget_the_inbox(self) -> None:
        """What was done in the inbox until here was done by the test."""
        self._watches[-1].events()

    def require_untouched(self) -> None:
        assert [watch.events() for watch in self._watches] == [[], [], [], []]
        assert list(self.staging.iterdir()) == []
        with pytest.raises(BlockingIOError):
            self._server.accept()

    def close(self) -> None:
        for watch in self._watches:
            watch.close()
        self._server.close()


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    trap = Trap(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(trap.staging))
    yield trap
    trap.close()


def code(plan: Plan | RasterPlan) -> str:
    assert plan.errors, summary(plan)
    assert all(problem.message and problem.remedy for problem in plan.errors)
    assert not plan.is_loadable
    return plan.errors[0].code


def test_the_trap_springs(trap: Trap) -> None:
    """That the watches work at all."""
    trap.secret.read_text()
    with pytest.raises(AssertionError):
        trap.read("a.kml", KML.format(PLACEMARK.format("")))


def test_only_the_drivers_of_accepted_formats_are_left() -> None:
    assert registered_drivers() == DRIVERS
    gdal_options.guard()
    assert registered_drivers() == DRIVERS
    assert {name: os.environ[name] for name in OPTIONS} == dict(OPTIONS)


def test_gdal_itself_cannot_open_what_is_not_accepted(trap: Trap) -> None:
    vrt = trap.inbox / "a.vrt"
    vrt.write_text(
        f"<OGRVRTDataSource><OGRVRTLayer name='secret'><SrcDataSource>{trap.secret}</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    trap.forget_the_inbox()
    for target in (vrt, vrt.read_text(), f"/vsicurl/{trap.url}/a.geojson", f"WFS:{trap.url}", f"{trap.url}/a.json"):
        with pytest.raises(Exception, match=r"not recognized|No such file|does not exist|HTTP|[Ee]rror"):
            pyogrio.read_info(target)
    trap.require_untouched()


# Entities

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {n} "{f"&{m};" * 10}">' for m, n in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
MARKUP = {
    "a.kml": KML.format(PLACEMARK.format("<description>{0}</description>")),
    "a.gpx": GPX.format('<wpt lat="33.4" lon="48.3"><name>{0}</name></wpt>'),
    "a.gml": GML.format("", "<ogr:note>{0}</ogr:note>", EPSG),
    "a.osm": OSM.format("{0}"),
}


def doctypes(trap: Trap) -> dict[str, tuple[str, str]]:
    return {
        "bomb": (LAUGHS, "&i;"),
        "file": (f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{trap.secret}">]>', "&e;"),
        "network": (f'<!DOCTYPE x [<!ENTITY e SYSTEM "{trap.url}/e">]>', "&e;"),
        "parameter": (f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{trap.url}/p">%p;]>', "x"),
        "outer subset": (f'<!DOCTYPE x SYSTEM "{trap.url}/x.dtd">', "x"),
        "bare": ("<!DOCTYPE x>", "x"),
    }


@pytest.mark.parametrize("name", MARKUP)
def test_a_document_type_is_refused_whatever_it_holds(name: str, trap: Trap) -> None:
    template = MARKUP[name]
    for what, (doctype, text) in doctypes(trap).items():
        plan = trap.read(name, '<?xml version="1.0"?>\n' + doctype + template.replace("{0}", text))
        assert code(plan) == "unsafe_file", what
        assert "<!DOCTYPE" in plan.errors[0].message
    good = trap.read(name, template.replace("{0}", "park"), **({"layer": "mosques"} if name == "a.osm" else {}))
    assert not good.errors or code(good) == "no_rows"


@pytest.mark.parametrize("name", MARKUP)
def test_a_document_type_cannot_hide(name: str, trap: Trap) -> None:
    doctype, text = doctypes(trap)["file"]
    body = MARKUP[name].replace("{0}", text)
    hidden = {
        "far down": '<?xml version="1.0"?>' + "<!-- -->" * 20_000 + doctype + body,
        "in UTF-16": ("\ufeff" + doctype + body).encode("utf-16-le"),
        "in UTF-16, said": ('\ufeff<?xml version="1.0" encoding="UTF-16"?>' + doctype + body).encode("utf-16-be"),
        "in UTF-7": '<?xml version="1.0" encoding="UTF-7"?>+ADw-!DOCTYPE x+AD4-' + body,
        "in EBCDIC, said": '<?xml version="1.0" encoding="EBCDIC-CP-US"?>' + doctype + body,
        "after a space": "\n\n" + doctype + body,
    }
    for what, content in hidden.items():
        found = code(trap.read(name, content))
        assert found in ("unsafe_file", "wrong_encoding", "broken_file", "unsupported_format", "mislabelled"), what


def workbook(
    path: Path, replaced: dict[str, Callable[[bytes], bytes]], *, extra: dict[str, bytes] | None = None
) -> None:
    pyogrio.raw.write(
        path, geometry=None, fields=["name", "lon", "lat"], geometry_type=None, driver="XLSX", layer="s",
        field_data=[np.array(["x"], dtype=object), np.array([48.3]), np.array([33.4])],
    )  # fmt: skip
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert replaced.keys() <= parts.keys()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, replaced.get(name, bytes)(data))
        for name, data in (extra or {}).items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml",
             "xl/_rels/workbook.xml.rels"],
)  # fmt: skip
def test_a_document_type_in_any_part_of_a_workbook_is_refused(part: str, trap: Trap) -> None:
    def poisoned(data: bytes) -> bytes:
        head, _, rest = data.partition(b"?>")
        return head + b"?>" + LAUGHS.encode() + rest

    plan = trap.read("a.xlsx", lambda path: workbook(path, {part: poisoned}))
    assert code(plan) == "unsafe_file"
    assert part in plan.errors[0].message


def test_a_second_part_of_the_same_name_is_not_read(trap: Trap) -> None:
    """GDAL would take the last, a checker perhaps the first."""

    def twice(path: Path) -> None:
        workbook(path, {})
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("xl/sharedStrings.xml", LAUGHS + "<sst/>")

    assert code(trap.read("a.xlsx", twice)) == "unsafe_archive"

    def other_case(path: Path) -> None:
        workbook(path, {}, extra={"XL/SharedStrings.xml": (LAUGHS + "<sst/>").encode()})

    assert code(trap.read("a.xlsx", other_case)) == "unsafe_archive"


def test_links_and_macros_of_a_workbook_stay_behind(trap: Trap) -> None:
    link = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" '
        f'Type="http://x/externalLinkPath" Target="file://{trap.secret}" TargetMode="External"/></Relationships>'
    )
    extra = {"xl/externalLinks/_rels/e.xml.rels": link.encode(), "xl/vbaProject.bin": b"\xd0\xcf" * 100}
    plan = trap.read("a.xlsx", lambda path: workbook(path, {}, extra=extra))
    assert plan.is_loadable, summary(plan)


def kmz(documents: dict[str, str | bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in documents.items():
                archive.writestr(name, data)

    return write


def test_a_document_type_in_a_kmz_is_refused_even_in_a_second_document(trap: Trap) -> None:
    good = KML.format(PLACEMARK.format(""))
    assert trap.read("a.kmz", kmz({"doc.kml": good})).is_loadable
    assert code(trap.read("a.kmz", kmz({"doc.kml": LAUGHS + good}))) == "unsafe_file"
    assert code(trap.read("a.kmz", kmz({"doc.kml": good, "files/more.kml": LAUGHS + good}))) == "unsafe_file"


# References


def test_links_in_kml_are_not_followed(trap: Trap) -> None:
    for where in (str(trap.secret), f"file://{trap.secret}", "../outside/secret.kml", f"{trap.url}/a.kml"):
        link = f"<NetworkLink><name>n</name><Link><href>{where}</href></Link></NetworkLink>"
        overlay = f"<GroundOverlay><Icon><href>{where}</href></Icon></GroundOverlay>"
        style = f"<styleUrl>{where}#s</styleUrl>"
        text = KML.format(link + overlay + PLACEMARK.format(style))
        for name, content in (("a.kml", text), ("a.kmz", kmz({"doc.kml": text}))):
            # The link is a row like any other, without a place of its own.
            assert code(trap.read(name, content)) == "no_geometry"
            plan = trap.read(name, content, repair=True)
            assert plan.is_loadable, summary(plan)
            assert isinstance(plan, Plan)
            assert len(plan.rows) == 1
        alone = trap.read("a.kmz", kmz({"doc.kml": KML.format(link)}))
        assert code(alone) in ("no_layers", "no_rows", "broken_file")


def test_references_in_gml_are_not_resolved(trap: Trap) -> None:
    for where in (f"file://{trap.secret}", str(trap.secret), "../outside/secret.kml", f"{trap.url}/a.gml"):
        link = f'<ogr:other xlink:href="{where}#a" xlink:type="simple"/>'
        schema = f' xsi:schemaLocation="http://ogr.maptools.org/ {Path(where).with_suffix(".xsd")}"'
        plan = trap.read("a.gml", GML.format(schema, link, EPSG))
        assert plan.is_loadable, summary(plan)
        # A reference system is a name, not an address to ask.
        assert not trap.read("a.gml", GML.format("", "", where)).is_loadable
        inner = GML.format("", "", EPSG).replace("<ogr:geom>", f'<ogr:geom xlink:href="{where}">')
        trap.read("a.gml", inner)


def test_files_beside_the_file_are_not_read(trap: Trap) -> None:
    """A schema or template that lies beside a GML could describe anything."""
    (trap.inbox / "a.xsd").symlink_to(trap.secret.with_suffix(".xsd"))
    (trap.inbox / "a.gfs").symlink_to(trap.secret)
    (trap.inbox / "a.resolved.gml").symlink_to(trap.secret)
    plan = trap.read("a.gml", GML.format("", "", EPSG))
    assert plan.is_loadable, summary(plan)


def test_a_geojson_names_its_reference_system_and_does_not_fetch_it(trap: Trap) -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [48.3, 33.4]}}
    for href in (f"{trap.url}/crs", f"file://{trap.secret}", str(trap.secret)):
        for crs in ({"type": "link", "properties": {"href": href}}, {"type": "name", "properties": {"name": href}}):
            text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]})
            assert not trap.read("a.geojson", text).is_loadable
            feature_with = json.dumps(feature | {"crs": crs})
            trap.read("a.geojsonl", f"{feature_with}\n{feature_with}\n")


def test_a_projection_file_is_text_not_an_address(trap: Trap, tmp_path: Path) -> None:
    folder = tmp_path / "shape"
    folder.mkdir()
    path = folder / "a.shp"
    pyogrio.raw.write(
        path, geometry=shapely.to_wkb(np.array([shapely.Point(48.3, 33.4)])), fields=["n"], field_data=[np.array([1])],
        geometry_type="Point", crs="EPSG:4326", driver="ESRI Shapefile",
    )  # fmt: skip
    for text in (f"{trap.url}/crs.prj", str(trap.secret), f"file://{trap.secret}", f"/vsicurl/{trap.url}/x"):
        path.with_suffix(".prj").write_text(text)

        def zipped(target: Path) -> None:
            with zipfile.ZipFile(target, "w") as archive:
                for part in folder.iterdir():
                    archive.write(part, part.name)

        assert not trap.read("a.zip", zipped).is_loadable


# Other formats in disguise

VIRTUAL = {
    "vrt": "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>{0}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "raster vrt": "<VRTDataset rasterXSize='1' rasterYSize='1'><VRTRasterBand><SimpleSource><SourceFilename>{0}"
    "</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
    "wms": "<GDAL_WMS><Service name='TMS'><ServerUrl>{1}/${{z}}</ServerUrl></Service></GDAL_WMS>",
    "wfs": "<OGRWFSDataSource><URL>{1}</URL></OGRWFSDataSource>",
    "capabilities": "<WFS_Capabilities version='1.1.0'><a href='{1}'/></WFS_Capabilities>",
    "wcs": "<WCS_GDAL><ServiceURL>{1}</ServiceURL></WCS_GDAL>",
    "gdalg": '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {0} ! write --of=stream x"}}',
    "mapml": "<mapml- xmlns='http://www.w3.org/1999/xhtml'><map-link href='{1}'/></mapml->",
    "oapif": '{{"links": [{{"rel": "data", "href": "{1}/collections"}}], "collections": []}}',
    "stac": '{{"type": "FeatureCollection", "stac_version": "1.0.0", "features": [], "assets": {{"a": {{"href": "{1}"}}}}}}',
    "carto": "CARTO:x tables=secret",
    "prefix": "GPKG:{0}",
    "path": "{0}",
    "vsi": "/vsicurl/{1}/a.geojson",
    "address": "{1}/a.geojson",
    "esri": '{{"currentVersion": 10, "url": "{1}", "geometryType": "esriGeometryPoint", "features": []}}',
}
SUFFIXES = [
    ".gpkg", ".geojson", ".json", ".geojsonl", ".shp", ".fgb", ".kml", ".kmz", ".gpx", ".gml", ".xml", ".parquet",
    ".csv", ".xlsx", ".osm", ".pbf", ".tif", ".zip", ".vrt", ".gdb", "",
]  # fmt: skip


@pytest.mark.parametrize("what", VIRTUAL)
def test_a_virtual_format_finds_no_driver_behind_any_name(what: str, trap: Trap) -> None:
    content = VIRTUAL[what].format(trap.secret, trap.url)
    for suffix in SUFFIXES:
        plan = trap.read(f"bait{suffix}", content)
        assert not plan.is_loadable, suffix
        assert plan.errors[0].remedy
        member = f"bait{suffix or '.json'}"

        def zipped(path: Path, member: str = member) -> None:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(member, content)

        assert not trap.read("bait.zip", zipped).is_loadable, suffix


# Zips


def member(name: str, data: bytes | str, mode: int = stat.S_IFREG | 0o644) -> tuple[zipfile.ZipInfo, bytes | str]:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info, data


@pytest.mark.parametrize(
    "name",
    [
        "../outside/a.kml",
        "/etc/a.kml",
        "a/../../outside/a.kml",
        "..\\outside\\a.kml",
        "C:\\a.kml",
        "city.gdb/../../a.kml",
    ],
)
def test_a_member_cannot_leave_the_folder(name: str, trap: Trap) -> None:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(*member(name, KML.format(PLACEMARK.format(""))))

    assert code(trap.read("a.zip", write)) == "unsafe_archive"
    assert code(trap.read("a.kmz", write)) == "unsafe_archive"


def test_a_link_in_a_zip_is_refused_in_every_kind_of_zip(trap: Trap) -> None:
    for name, inside in {"a.zip": "a.kml", "a.kmz": "doc.kml", "g.zip": "city.gdb/a00000001.gdbtable"}.items():

        def write(path: Path, inside: str = inside) -> None:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(*member(inside, str(trap.secret), stat.S_IFLNK | 0o777))

        plan = trap.read(name, write)
        assert code(plan) == "unsafe_archive"
        assert "link" in plan.errors[0].message

    def link_beside(path: Path) -> None:
        workbook(path, {})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(*member("xl/worksheets/sheet2.xml", str(trap.secret), stat.S_IFLNK | 0o777))

    assert code(trap.read("a.xlsx", link_beside)) == "unsafe_archive"


def test_an_archive_in_an_archive_is_refused(trap: Trap) -> None:
    inner = trap.staging.parent / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.kml", KML.format(PLACEMARK.format("")))
    data = inner.read_bytes()
    for name in ("a.zip", "a.kmz", "deep/er/a.ZIP", "a.gz", "a.7z", "a.rar", "a.tar", "a.zst"):

        def write(path: Path, name: str = name) -> None:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(name, data)

        assert code(trap.read("outer.zip", write)) == "nested_archive", name
    for name in ("a.geojson", "a.gpkg", "a.csv"):  # under another name

        def disguised(path: Path, name: str = name) -> None:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(name, data)

        assert code(trap.read("outer.zip", disguised)) in ("nested_archive", "mislabelled"), name


# Names


@pytest.mark.parametrize(
    "name", ['x"; DROP TABLE layers_layer; --', "<script>alert(1)</script>", "a' OR '1'='1", "%s{0}\\"]
)
@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".gml", ".xlsx"])
def test_names_are_words_and_nothing_else(name: str, suffix: str, trap: Trap, tmp_path: Path) -> None:
    field = "title" if suffix == ".gml" else name  # an element of XML cannot be called so
    driver = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf", ".gml": "GML", ".xlsx": "XLSX"}[suffix]
    is_table = suffix == ".xlsx"

    def write(path: Path) -> None:
        pyogrio.raw.write(
            path,
            geometry=None if is_table else shapely.to_wkb(np.array([shapely.Point(48.3, 33.4)])),
            fields=[field, *(["lon", "lat"] if is_table else [])],
            field_data=[np.array([name], dtype=object), *([np.array([48.3]), np.array([33.4])] if is_table else [])],
            geometry_type=None if is_table else "Point",
            crs=None if is_table else "EPSG:4326",
            driver=driver,
            # The writer of GeoPackages refuses some of these as the name of a layer.
            layer=name if is_table or (suffix == ".gpkg" and "<" not in name and "{" not in name) else "layer",
        )

    def written(path: Path) -> None:
        write(tmp_path / path.name)
        path.write_bytes((tmp_path / path.name).read_bytes())

    plan = trap.read(f"a{suffix}", written)
    assert plan.is_loadable, summary(plan)
    assert isinstance(plan, Plan)
    assert plan.rows.columns[field] == [name]
