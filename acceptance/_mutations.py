"""Bytes that are no longer what a program wrote: flipped, cut, joined, their lengths changed, their values swapped."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**70, 10**400, 1.5, 1e400, -1e400, 5e-324, float("nan"), "", " ", "\0", "\ud800", "\x1b[31m",
    "=1+1", "../../x.png", "/etc/passwd", "a" * 3000, [], [None], [[1], [2, 3]], [[[]]], {}, {"": None},
    {"a": {"b": 1}}, {"bytes": "x"}, {"path": 5}, {"bytes": None, "path": None},
    {"path": "x", "offset": -5, "size": 2**62}, {"path": "t.tar", "offset": "a", "size": None, "member": 3},
    ["a", 1, None, {"b": []}], "1,5", "2018-02-30",
)  # fmt: skip
CELLS = (
    "", "NaN", "inf", "-1e400", "1e-400", "9" * 400, "\0", "\x1b[2J", '"', '""', "a\nb", "\u202e", "[1, 2",
    "[[1],[2,3]]", "{}", "../../../etc/passwd", "file:///dev/zero", "/dev/zero", "\ufeff", ",,,,", "\r",
    "=1+1", "999999999999-99-99",
)  # fmt: skip
LINES = (
    b"[" * 50_000, b"{}", b"null", b"[1]", b'{"a": 1, "a": 2}', b'{"x": ' * 2000,
    b'{"x": ' + b"[" * 900 + b"]" * 900 + b"}",
)  # fmt: skip
TOKEN = re.compile(rb"[0-9A-Za-z_.+-]+")


def mutate(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """One to four changes, inside of archives at times."""
    for _ in range(draw.choice([1, 1, 1, 2, 3, 4])):
        content = draw.choice(CHANGES)(content, draw, others)
    return content


def _flip(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        if changed:
            changed[min(_place(changed, draw), len(changed) - 1)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _overwrite(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    place, size = _place(content, draw), draw.choice([1, 4, 16, 200])
    put = draw.choice([bytes(size), b"\xff" * size, draw.randbytes(size)])
    return content[:place] + put + content[place + size :]


def _cut(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    return content[: _place(content, draw)] if draw.random() < 0.8 else content[_place(content, draw) :]


def _remove(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    place = _place(content, draw)
    return content[:place] + content[place + draw.choice([1, 2, 7, 100, 4096]) :]


def _repeat(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    start, size = _place(content, draw), draw.choice([1, 8, 100, 1000])
    place = _place(content, draw)
    return content[:place] + content[start : start + size] * draw.choice([1, 2, 50]) + content[place:]


def _join(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    other = draw.choice([content, *others])
    place = _place(other, draw)
    return draw.choice([content + other, other + content, content[: _place(content, draw)] + other[place:]])


def _length(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """Some number of the file, most likely near its start or end, where lengths and offsets are kept."""
    form = draw.choice(["<B", "<H", ">H", "<I", ">I", "<q", ">q"])
    size = struct.calcsize(form)
    place = _place(content, draw)
    number = draw.choice([*EXTREMES, draw.getrandbits(64)]) % 256**size
    return content[:place] + number.to_bytes(size, "little" if form[0] == "<" else "big") + content[place + size :]


def _value(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """A word or a number of a text becomes another one."""
    found = list(TOKEN.finditer(content[:20_000]))
    if not found:
        return _flip(content, draw, others)
    start, end = draw.choice(found).span()
    put = draw.choice(CELLS) if draw.random() < 0.5 else json.dumps(draw.choice(VALUES))
    return content[:start] + put.encode("utf-8", "surrogatepass") + content[end:]


CHANGES: tuple[Callable[[bytes, random.Random, Sequence[bytes]], bytes], ...] = (
    _flip, _flip, _overwrite, _cut, _remove, _repeat, _join, _length, _length, _value,
)  # fmt: skip


def _place(content: bytes | bytearray, draw: random.Random) -> int:
    """Somewhere, more often near the start or the end."""
    size = len(content)
    near = draw.random()
    most = min(size, 600)
    if near < 0.35:
        return draw.randrange(most + 1) if size else 0
    if near < 0.55:
        return size - draw.randrange(most + 1) if size else 0
    return draw.randrange(size + 1)


def mutate_inside(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """What an archive or a gzip stream holds is changed, and packed again, so that no checksum gives it away."""
    if content[:2] == b"\x1f\x8b":
        return gzip.compress(mutate(gzip.decompress(content), draw, others), 1, mtime=0)
    if content[:2] == b"PK":
        return _zip_again(content, draw, others)
    if content[257:262] == b"ustar":
        return _tar_again(content, draw, others)
    return mutate(content, draw, others)


def _zip_again(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        chosen = draw.choice(archive.namelist())
        for name in archive.namelist():
            part = archive.read(name)
            if name == chosen and draw.random() < 0.1:
                continue
            made.writestr(zipfile.ZipInfo(name), mutate(part, draw, others) if name == chosen else part)
        if draw.random() < 0.1:
            made.writestr(zipfile.ZipInfo("../../../evil"), b"x")
    return sink.getvalue()


def _tar_again(content: bytes, draw: random.Random, others: Sequence[bytes]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive, tarfile.open(fileobj=sink, mode="w") as made:
        members = archive.getmembers()
        chosen = draw.choice(members)
        for member in members:
            stream = archive.extractfile(member)
            part = stream.read() if stream else b""
            if member is chosen:
                part = mutate(part, draw, others)
                _odd(member, draw)
            member.size = len(part) if member.isreg() else 0
            made.addfile(member, io.BytesIO(part))
    return sink.getvalue()


def _odd(member: tarfile.TarInfo, draw: random.Random) -> None:
    """At times a member that no data set holds."""
    what = draw.randrange(12)
    if what < 4:
        member.name = ("../../evil.json", "/evil.json", "0001.json", "x" * 300 + ".json")[what]
    elif what < 7:
        member.type = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE)[what - 4]
        member.linkname = "/etc/passwd"


def mutate_json(content: bytes, draw: random.Random) -> bytes:
    """Values of JSON Lines are swapped for others, also deep inside."""
    lines = content.splitlines()
    for _ in range(draw.choice([1, 2, 5])):
        place = draw.randrange(len(lines))
        row = json.loads(lines[place]) if lines[place][:3] == b'{"n' else {}
        if row and draw.random() < 0.9:
            lines[place] = json.dumps(_swapped(row, draw)).encode()
        else:
            lines[place] = draw.choice(LINES)
    return b"\n".join(lines)


def _swapped(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    name = draw.choice(list(row))
    value = row[name]
    if isinstance(value, dict) and value and draw.random() < 0.5:
        return row | {name: _swapped(value, draw)}
    if isinstance(value, list) and value and draw.random() < 0.5:
        changed = list(value)
        changed[draw.randrange(len(changed))] = draw.choice(VALUES)
        return row | {name: changed}
    if draw.random() < 0.15:
        return row | {draw.choice(["", "\0", "new", "label ", "\ud800", name.upper()]): draw.choice(VALUES)}
    return row | {name: draw.choice(VALUES)}
