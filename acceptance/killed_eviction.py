"""A process that ends while it makes, replaces or removes cached columns leaves nothing that is wrong or lost.

A case draws a scene, and the change of the file system before which the process is killed, or from which on the disk
is full: that may end in our own error, or without the cache in the right arrays. Afterwards the same command has to
finish with the same arrays, and the cache holds whole columns only. Each scene is first run to its end to count its
changes: there are enough cases to end before each of them. A case that draws a number beyond them ends twice, the
second time in the process that goes on.
"""

import errno
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from acceptance._columns import content, in_child, job
from sensorium.errors import StoreError
from sensorium.modalities import Encoded
from sensorium.prepare import kept
from sensorium.prepare.store import Store

CASES = 5_000
POINTS = 100  # more than a scene has changes
ROOM = 10**9
DIED = 9  # exit code of a process that was killed
FREEING = {"os.remove", "os.rmdir", "os.truncate", "os.utime"}  # a full disk allows them
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.utime", "os.symlink"}


def check(case: int) -> str | None:
    """Prepare a cache, die in the middle of its use, and use it again."""
    draw = random.Random(case)
    scene, point = draw.choice(SCENES), draw.randrange(POINTS)
    with tempfile.TemporaryDirectory() as name:
        count = changes(Path(name, "counted"), scene, draw.getstate())
        if count is None:
            return f"{scene}: it fails when nothing disturbs it"
        folder = Path(name, "killed")
        prepare(folder, scene, draw)
        kills = [point] if point < count else [draw.randrange(count), draw.randrange(count)]
        end = draw.choice([killed, killed, out_of_room])
        for kill in kills:
            if in_child(lambda kill=kill: ending_at(kill, end, folder, scene)) not in (0, DIED):
                return f"{scene}, {end.__name__} at change {kills}: it failed with another error"
        wrong = after(folder, scene)
        return wrong and f"{scene}, {end.__name__} at change {kills}: {wrong}"


def use(folder: Path, scene: str, *, optional: bool = False) -> Iterator[tuple[Encoded, bytes]]:
    """What the killed command does: it needs two columns, of which one is there; the limit has room for one or all."""
    limit = ROOM if scene.startswith(("damaged", "unfinished")) else 1
    for name in ("second", "first"):
        modality, column, expected = job(name, sounds=scene.endswith("sounds"))
        yield Store(folder, limit, optional=optional).encode(modality, column), expected


def prepare(folder: Path, scene: str, draw: random.Random) -> None:
    """What was there before."""
    folder.mkdir()
    modality, column, _ = job("first", sounds=scene.endswith("sounds"))
    Store(folder, ROOM).encode(modality, column)
    (entry,) = (path for path in folder.iterdir() if path.is_dir())
    if scene.startswith("damaged"):
        path = entry / draw.choice([kept.VALUES, kept.PRESENT, kept.JOURNAL, kept.DONE])
        found = bytearray(path.read_bytes())
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
        path.write_bytes(found)
    elif scene.startswith("unfinished"):
        (entry / kept.DONE).unlink()
        path = entry / draw.choice([kept.VALUES, kept.PRESENT, kept.JOURNAL])
        os.truncate(path, draw.randrange(path.stat().st_size + 1))


def after(folder: Path, scene: str) -> str | None:
    """None where the command finishes with the right arrays and leaves what an undisturbed one leaves."""
    try:
        wrong = [True for found, expected in use(folder, scene) if content(found) != expected]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of the claim
        return f"{type(error).__name__}: {error}"
    left = {path.name for path in folder.iterdir() if path.suffix != ".lock"}
    entries = {path.name for path in folder.iterdir() if kept.KeptColumn(path).done}
    wanted = 2 if scene.startswith(("damaged", "unfinished")) else 1
    files = {file.name for entry in entries for file in (folder / entry).iterdir()}
    if wrong:
        return "other arrays"
    if left != entries or len(entries) != wanted or files != {*kept.ARRAYS, kept.JOURNAL, kept.DONE}:
        return f"left over: {sorted(left)}, {sorted(files)}"
    return None


def changes(folder: Path, scene: str, state: object) -> int | None:
    """How often the command changes the file system when nothing ends it; None where it fails."""
    draw = random.Random()
    draw.setstate(state)
    prepare(folder, scene, draw)
    reading, writing = os.pipe()

    def counted() -> None:
        seen: list[str] = []
        before_changes(seen.append)
        list(use(folder, scene))
        os.write(writing, str(len(seen)).encode())

    code = in_child(counted)
    os.close(writing)
    with os.fdopen(reading) as stream:
        return None if code else int(stream.read())


def killed() -> None:
    """No clearing up."""
    os._exit(DIED)


def out_of_room() -> None:
    """What the system says from then on."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def ending_at(change: int, end: Callable[[], None], folder: Path, scene: str) -> None:
    """Run the command, and let something end it at the change of that number."""
    seen: list[str] = []

    def told(name: str) -> None:
        if len(seen) >= change and (end is killed or name not in FREEING):
            end()
        seen.append(name)

    before_changes(told)
    optional = change % 2 == 0
    try:
        found = list(use(folder, scene, optional=optional))
    except StoreError:
        os._exit(1 if optional else DIED)
    assert all(content(encoded) == expected for encoded, expected in found)


def before_changes(told: Callable[[str], None]) -> None:
    """Have a function called before each change of the file system by this process."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if event == "open" else 0
        if event in CHANGES or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            told(event)

    sys.addaudithook(hook)
    for name in ("fsync", "pwrite"):
        plain = getattr(os, name)
        setattr(os, name, lambda *given, name=name, plain=plain: (told(name), plain(*given))[1])


SCENES = [f"{what} {kind}" for what in ("evicted", "damaged", "unfinished") for kind in ("pictures", "sounds")]
