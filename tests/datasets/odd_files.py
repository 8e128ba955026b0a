"""Hundreds of odd uploads, each a name and bytes: what people, programs and accidents make."""

import gzip
import io
import json
import random
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

Odd = tuple[str, bytes]

MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I",
         "I;16", "I;16B", "I;16L", "F")  # fmt: skip
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "ICO", "TGA", "JPEG2000", "DIB", "PDF")
CUTS = 9


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, form, **options)
    return output.getvalue()


def gradient(width: int = 40, height: int = 30) -> Image.Image:
    return Image.merge("RGB", [Image.linear_gradient("L").resize((width, height))] * 3)


def cut(data: bytes, pieces: int = CUTS) -> Iterator[bytes]:
    """Its first bytes, ending at places spread over it: the start, the end and what lies between."""
    places = {0, 1, 5, 12, len(data) - 1, *(len(data) * part // pieces for part in range(1, pieces))}
    for place in sorted(places):
        yield data[:place]


def flipped(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def pictures() -> Iterator[Odd]:
    yield from _every_mode()
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        whole = saved(gradient(), form)
        for number, piece in enumerate(cut(whole)):
            yield f"cut-{number}.{form.lower()}", piece
        for seed in range(6):
            yield f"flipped-{seed}.{form.lower()}", flipped(whole, seed)
    yield from _animations()
    yield from _strange_headers()
    exif = Image.Exif()
    for orientation in (*range(10), 65535):
        exif[0x0112] = orientation
        for form in ("JPEG", "PNG", "WEBP", "TIFF"):
            yield f"turned-{orientation}.{form.lower()}", saved(gradient(), form, exif=exif)
    for size in ((1, 1), (1, 100_000), (100_000, 1), (2, 65_535)):
        yield f"thin-{size[0]}x{size[1]}.png", saved(Image.new("RGB", size), "PNG")
    yield "thin.jpg", saved(Image.new("L", (1, 65_500)), "JPEG")
    yield from (
        ("zeros.png", bytes(5000)), ("page.jpg", b"<!DOCTYPE html><html>404"), ("drawing.png", b"<svg/>"),
        ("text.jpg", "not a picture".encode("utf-16")), ("heic.jpg", b"\0\0\0\x18ftypheic" + bytes(80)),
        ("archive.png", b"PK\3\4" + bytes(80)), ("script.gif", b"GIF89a/*" + bytes(40)), ("eps.png", b"%!PS"),
    )  # fmt: skip


def _every_mode() -> Iterator[Odd]:
    for mode in MODES:
        try:
            image = Image.new(mode, (21, 13), 1 if mode in ("1", "P", "I", "F") else 0)
        except ValueError:
            continue
        for form in FORMATS:
            try:
                yield f"{mode.replace(';', '-')}.{form.lower()}", saved(image, form)
            except (OSError, ValueError, KeyError, TypeError):
                continue  # a format that has no such mode
    clear = Image.new("P", (9, 9), 3)
    yield "clear.png", saved(clear, "PNG", transparency=3)
    yield "clear.gif", saved(clear, "GIF", transparency=3)
    yield "profile.jpg", saved(gradient(), "JPEG", icc_profile=b"nonsense" * 40)
    yield "profile.png", saved(gradient().convert("L"), "PNG", icc_profile=bytes(200))
    yield "progressive.jpg", saved(gradient(300, 200), "JPEG", progressive=True)
    yield "cmyk.jpg", saved(Image.new("CMYK", (30, 20), (10, 200, 30, 40)), "JPEG")


def _animations() -> Iterator[Odd]:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 120, 250)]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        moving = saved(frames[0], form, save_all=True, append_images=frames[1:])
        yield f"moving.{form.lower()}", moving
        yield f"moving-cut.{form.lower()}", moving[: len(moving) * 2 // 3]
    yield "two.mpo.jpg", saved(frames[0], "MPO", save_all=True, append_images=frames[1:])


def _strange_headers() -> Iterator[Odd]:
    png = saved(gradient(), "PNG")
    for number, (width, height) in enumerate(
        [(0, 0), (0, 5), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1)]
    ):
        yield f"lying-{number}.png", png[:16] + struct.pack(">II", width, height) + png[24:]
    bmp = bytearray(saved(gradient(), "BMP"))
    for number, (width, height) in enumerate([(0, 0), (-1, 5), (30_000, 30_000), (40, -30), (2**31 - 1, 1)]):
        bmp[18:26] = struct.pack("<ii", width, height)
        yield f"lying-{number}.bmp", bytes(bmp)
    gif = bytearray(saved(gradient(), "GIF"))
    gif[6:10] = b"\xff\xff\xff\xff"
    yield "lying.gif", bytes(gif)
    jpeg = saved(gradient(), "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    for number, (height, width) in enumerate([(0, 40), (30, 0), (65_535, 65_535)]):
        yield f"lying-{number}.jpg", jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]
    for count in (2**16, 2**32 - 1):  # a directory that says it has so many values
        entry = struct.pack("<HHII", 0x0112, 4, count, 8)
        yield f"tags-{count}.tiff", b"II*\0\x08\0\0\0\x01\0" + entry + bytes(4)
    yield "loop.tiff", b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + bytes(30)


def tables() -> Iterator[Odd]:
    rows = "id,caption,year\n1,Two apples,1999\n2,A pear,2001\n3,A plum,1987\n"
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "ascii"):
        yield f"{encoding}.csv", rows.encode(encoding)
        yield f"{encoding}-accents.csv", rows.replace("plum", "prüne").encode(encoding, "replace")
    texts = {
        "quotes": 'id,caption\n1,"open\n2,fine\n3,"a ""b" c\n4,"""\n5,x"y\n',
        "quote-at-end": 'id,caption\n1,fine\n2,"never closed',
        "newlines": "id,caption\r1,one\n2,two\r\n3,three\r\r\n4,four\n\r5,five",
        "lines-inside": 'id,caption\n1,"one\r\ntwo\nthree"\n2,fine\n',
        "nul": "id,caption\n1,a\0b\n\0\0,\0\n3,c\n",
        "ragged": "id,caption\n1\n2,b,c,d,e\n,,,,,,\n\n\n3,c\n",
        "same-names": "a,a,a,,,\n1,2,3,4,5,6\n",
        "no-header": "1,2,3\n4,5,6\n",
        "one-column": "caption\nfirst\nsecond\n",
        "one-line": "caption,id",
        "blank": "\n\n \t\n",
        "semicolons": "id;caption;price\n1;Ein Apfel;1,5\n2;Eine Birne;2,25\n",
        "tabs": "id\tcaption\n1\tone, two\n2\tthree\n",
        "wide": ",".join(f"c{n}" for n in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n",
        "long-name": "x" * 5000 + ",caption\n1,fine\n",
        "long-cell": "id,caption\n1," + "word " * 30_000 + "\n2,fine\n",
        "formulas": "id,caption\n=1+1,=cmd|' /C calc'!A0\n+1,-2\n@x,\t=3\n",
        "numbers": "caption,n\na,1e309\nb,-inf\nc,NaN\nd,1e-400\ne,0x1F\nf,1_000\ng,٣\nh,−5\ni,1e5\n",
        "huge-numbers": "caption,n\na,99999999999999999999999\nb,-9223372036854775809\nc,9007199254740993\n",
        "dates": "caption,when\na,2020-01-01\nb,0001-01-01\nc,9999-12-31T23:59:59+23:59\nd,1969-12-31\n",
        "odd-dates": "caption,when\na,2020-13-45\nb,31.12.1999\nc,Jan 5\nd,2020-02-30\ne,1/2/2020\nf,-44\n",
        "zones": "caption,when\na,2020-01-01T00:00:00Z\nb,2020-01-01 00:00+05:30\nc,0001-01-01T00:00+14:00\n",
        "ids-twice": "id,caption\nx,one\nx,two\nX,three\n x ,four\n",
        "surrogates": "id,caption\n1,\ud83d alone\n2,\U0001f34e whole\n3,\u202egnp.exe\n",
        "controls": "id,caption\n"
        + "".join(f"{n},a{chr(n)}b\n" for n in range(1, 32) if chr(n) not in "\n\r"),
        "lists": "caption,tags\na,\"['x', 'y']\"\nb,[]\nc,\"[1, [2, {}]]\"\nd,x;y;;z\ne,[\n",
        "vectors": 'caption,v\na,"[1,2,3]"\nb,"[1,2]"\nc,"[NaN,1,2]"\nd,"[]"\ne,"[1e999,0,0]"\nf,"[0,0,0]"\n',
        "missing-pictures": "image,caption\nnot/there.jpg,one\n/etc/passwd,two\n../../x.png,three\n",
    }
    for name, text in texts.items():
        yield f"{name}.csv", text.encode("utf-8", "surrogatepass")
    for name in ("quotes", "newlines", "nul"):
        yield f"{name}.tsv", texts[name].replace(",", "\t").encode()
        yield f"{name}.csv.gz", gzip.compress(texts[name].encode())
    yield "cut.csv.gz", gzip.compress(rows.encode() * 500)[:60]
    yield "latin.csv", b"id,caption\n1,caf\xe9\n2,\xff\xfe\xfa\n3,\xf0\x9f\x8d\n"
    yield from _json_tables()
    yield from _parquet_tables()


def _json_tables() -> Iterator[Odd]:
    good = [{"id": str(n), "caption": f"Thing {n}", "n": n} for n in range(5)]
    lines = "\n".join(map(json.dumps, good))
    deep = "[" * 5000 + "]" * 5000
    odd = {
        "broken": f'{lines}\n{{"id": "x", "caption"\n[1,2]\n"text"\n12\nnull\n{{}}\n{{"caption": "y"}}',
        "values": '{"caption": "a", "n": NaN, "m": Infinity, "o": -Infinity, "p": 1e999}\n{"caption": "b"}\n',
        "mixed": '{"caption": 1}\n{"caption": ["a", 2, null, {"x": []}]}\n{"caption": {"en": "c"}}\n',
        "deep": '{"caption": "a", "x": ' + deep + "}\n" + lines,
        "nul": '{"caption": "a\\u0000b", "k\\u0000": "\\ud800"}\n' + lines,
        "huge-int": '{"caption": "a", "n": ' + "9" * 400 + "}\n" + lines,
        "digits": '{"caption": "a", "n": ' + "9" * 5000 + "}\n" + lines,
        "same-key": '{"caption": "a", "caption": "b"}\n' + lines,
        "empty-key": '{"": "a", " ": "b", "caption": "c"}\n' + lines,
        "many-keys": json.dumps({"caption": "a", **{f"k{n}": n for n in range(3000)}}),
        "one-line": lines.replace("\n", " "),
        "array": json.dumps(good)[:-1],
        "coco": '{"images": [{"id": 1, "file_name": "a.jpg"}, 3], "annotations": [{"caption": "x"}, 4]}',
        "long-text": json.dumps({"id": "1", "caption": "x" * 300_000}) + "\n" + lines,
        "long-key": json.dumps({"k" * 100_000: 1, "caption": "a"}),
        "dates": '{"caption": "a", "when": "0001-01-01T00:00+14:00"}\n{"caption": "b", "when": "9999-12-31"}',
    }  # fmt: skip
    for name, text in odd.items():
        yield f"{name}.jsonl", text.encode()
        yield f"{name}.json", text.encode()
    yield "utf-16.jsonl", lines.encode("utf-16")


def _parquet_tables() -> Iterator[Odd]:
    moment = datetime(2020, 1, 1, 12, 30)  # noqa: DTZ001 - as tables without zones have it
    captions = ["one", "two", None]
    columns: dict[str, pa.Array] = {
        "decimal": pa.array([Decimal("1.5"), Decimal("99999999999999999999.99"), None], pa.decimal128(38, 2)),
        "date": pa.array([date(1, 1, 1), date(9999, 12, 31), None]),
        "date64": pa.array([moment, moment, None], pa.date64()),
        "timestamp": pa.array([moment, moment, None], pa.timestamp("ns", "Asia/Tokyo")),
        "far-timestamp": pa.array([-(2**62), 2**62, None], pa.timestamp("us")),
        "time": pa.array([moment.time(), moment.time(), None]),
        "duration": pa.array([timedelta(days=1), timedelta(0), None]),
        "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        "struct": pa.array([{"a": {"b": [1]}}, {"a": None}, None]),
        "list": pa.array([["x", None], [], None]),
        "deep-list": pa.array([[[[1.5]]], [[]], None]),
        "fixed-list": pa.array([[1.0, 2.0], [float("nan"), float("inf")], None], pa.list_(pa.float32(), 2)),
        "zero-vectors": pa.array([[0.0] * 8] * 3, pa.list_(pa.float32(), 8)),
        "half": pa.array([1.5, float("inf"), None], pa.float16()),
        "float": pa.array([float("nan"), float("-inf"), 1e308]),
        "unsigned": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "bool": pa.array([True, False, None]),
        "binary": pa.array([b"\0\xff", b"", None]),
        "picture": pa.array([{"bytes": b"broken", "path": "../a.png"}, {"bytes": None, "path": "b"}, None]),
        "fixed-binary": pa.array([b"abcd", b"efgh", None], pa.binary(4)),
        "large-string": pa.array(["a\0b", "", None], pa.large_string()),
        "dictionary": pa.array(["a", "b", None]).dictionary_encode(),
        "null": pa.nulls(3),
        "": pa.array([1, 2, 3]),
        "x" * 3000: pa.array([1, 2, 3]),
    }
    for number, (name, column) in enumerate(columns.items()):
        yield f"{number}.parquet", _parquet(pa.table({"caption": captions, name: column}))
    yield "twice.parquet", _parquet(pa.Table.from_arrays([pa.array(captions)] * 2, names=["a", "a"]))
    yield "no-rows.parquet", _parquet(pa.table({"caption": pa.array([], pa.string())}))
    yield "no-columns.parquet", _parquet(pa.table({}))
    whole = _parquet(pa.table({"caption": [f"thing {n}" for n in range(50)]}))
    for number, piece in enumerate(cut(whole)):
        yield f"cut-{number}.parquet", piece
    for seed in range(8):
        yield f"flipped-{seed}.parquet", flipped(whole, seed)


def _parquet(table: pa.Table) -> bytes:
    output = io.BytesIO()
    pq.write_table(table, output)
    return output.getvalue()


def archives() -> Iterator[Odd]:
    png = saved(gradient(8, 8), "PNG")
    yield from _zips(png)
    yield from _tars(png)


def _zips(png: bytes) -> Iterator[Odd]:
    table = "file,caption\na.png,Fine\nb/c.png,Fine too\n"
    whole = _zip([("captions.csv", table), ("a.png", png), ("b/c.png", png)])
    for number, piece in enumerate(cut(whole, 14)):
        yield f"cut-{number}.zip", piece
    for seed in range(14):
        yield f"flipped-{seed}.zip", flipped(whole, seed)
    names = ["/etc/a.png", "../../a.png", "..\\..\\a.png", "C:\\a.png", "a/../../b.png", "./././a.png",
             "a//b.png", "a\0b.png", "con.png", " .png", "\u202egnp.png", "ü/é.png", "x" * 4000 + ".png",
             "a/" * 300 + "a.png",             "__MACOSX/._a.png", ".DS_Store", "dir/"]  # fmt: skip
    yield "names.zip", _zip([("good.png", png), *((name, png) for name in names)])
    yield "same-names.zip", _zip([("a.png", png), ("a.png", png), ("A.png", png), ("./a.png", png)])
    yield "nothing.zip", _zip([])
    yield "empty-files.zip", _zip([("a.png", b""), ("b.csv", b""), ("c.json", b""), ("d", b"")])
    yield "inside.zip", _zip([("inner.zip", whole), ("good.png", png), ("t.tar", b"ustar")])
    yield "bomb.zip", _zip([("a.png", bytes(30 << 20)), ("good.png", png), ("bomb.csv", b"a" * (30 << 20))])
    yield "in-front.zip", b"#!/bin/sh\nexit\n" + whole
    yield "behind.zip", whole + bytes(70_000)
    yield "link.zip", _zip([("good.png", png), (_info("link.png", 0o120777), b"/etc/passwd")])
    yield "device.zip", _zip([("good.png", png), (_info("device.png", 0o020666), b"")])
    locked = bytearray(whole)
    for at in _all_of(locked, b"PK\1\2"):
        locked[at + 8] |= 1
    yield "locked.zip", bytes(locked)
    for number, (field, value) in enumerate(
        [(20, 0), (20, 2**32 - 1), (24, 1), (24, 2**32 - 1), (42, 2**31), (28, 65_535), (10, 99), (16, 7)]
    ):
        lying = bytearray(whole)
        for at in _all_of(lying, b"PK\1\2"):
            size = 2 if field in (10, 28) else 4
            lying[at + field : at + field + size] = value.to_bytes(size, "little")
        yield f"lying-{number}.zip", bytes(lying)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield f"method-{method}.zip", _zip([("a.png", png), ("captions.csv", table)], method)
    classes = [(f"{kind}/{number}.png", png) for kind in ("cats", "dogs", "  ", "..") for number in range(3)]
    yield "classes.zip", _zip(classes)


def _info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def _zip(
    files: Sequence[tuple[str | zipfile.ZipInfo, str | bytes]], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # the same name twice is what we want
        for name, content in files:
            archive.writestr(name, content)
    return data.getvalue()


def _all_of(data: bytes | bytearray, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _tars(png: bytes) -> Iterator[Odd]:
    files: list[tuple[str, bytes]] = [
        ("000.png", png), ("000.txt", b"A caption"), ("000.json", b'{"n": 1}'), ("001.png", png)
    ]  # fmt: skip
    whole = _tar(files)
    for number, piece in enumerate(cut(whole, 12)):
        yield f"cut-{number}.tar", piece
    for seed in range(12):
        yield f"flipped-{seed}.tar", flipped(whole, seed)
    packed = gzip.compress(whole)
    for number, piece in enumerate(cut(packed, 8)):
        yield f"cut-{number}.tar.gz", piece
    for seed in range(8):
        yield f"flipped-{seed}.tgz", flipped(packed, seed)
    yield "two.tar.gz", gzip.compress(whole[:1024]) + gzip.compress(whole[1024:])
    yield "behind.tar.gz", packed + b"junk"
    yield "bomb.tar.gz", gzip.compress(_tar([("a.png", bytes(30 << 20)), ("good.png", png)]))
    kinds = {
        "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "block": tarfile.BLKTYPE,
        "pipe": tarfile.FIFOTYPE, "sparse": tarfile.GNUTYPE_SPARSE, "odd": b"9",
    }  # fmt: skip
    for name, kind in kinds.items():
        yield f"{name}.tar", _tar([("good.png", png)], _entry(f"{name}.png", kind))
    for number, name in enumerate(["/etc/a.png", "../../a.png", "a\nb.png", "x" * 3000 + ".png", "", "."]):
        yield f"name-{number}.tar", _tar([("good.png", png), (name, png)])
    for number, size in enumerate([b"77777777777", b"-1         ", b"xxxxxxxxxxx", b"\x80" + b"\xff" * 10]):
        yield f"size-{number}.tar", whole[:124] + size + whole[135:]
    pax = tarfile.TarInfo("pax.png")
    pax.size = len(png)
    pax.pax_headers = {"comment": "x" * 200_000, "GNU.sparse.size": "999999999999", "size": "1e9"}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(pax, io.BytesIO(png))
    yield "pax.tar", data.getvalue()


def _entry(name: str, kind: bytes) -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)

    return add


def _tar(files: list[tuple[str, bytes]], more: Callable[[tarfile.TarFile], None] | None = None) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if more is not None:
            more(archive)
    return data.getvalue()
