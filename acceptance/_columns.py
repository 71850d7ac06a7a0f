"""Columns that proofs of the cache prepare, and the forked processes that they do it in."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import soundfile
from PIL import Image

from sensorium.modalities import Encoded, Modality, Ragged
from sensorium.prepare import kept
from sensorium.registry import modalities
from sensorium.table import Column, open_table

CELLS = 5


def in_child(work: Callable[[], None]) -> int:
    """The exit code of a forked process that does the work."""
    return in_children([work])[0]


def in_children(works: Sequence[Callable[[], None]]) -> list[int]:
    """The exit codes of forked processes that work at once."""
    children = [_forked(work) for work in works]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - this process ends here, whatever it is
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    return child


@cache
def job(name: str, *, sounds: bool) -> tuple[Modality, Column, bytes]:
    """A column of pictures or of sounds of unequal length, and what it is prepared to; made once in a process."""
    kept.CHUNK = 2
    os.fsync = lambda handle: None  # processes are killed here, no power is cut
    draw = np.random.default_rng(list(name.encode()))
    cells = [sound(draw, 800 + 400 * cell) if sounds else picture(draw) for cell in range(CELLS)]
    column = open_table({"x": [cells[0], b"neither", *cells[1:]]}).column("x")
    modality = modalities.load("audio").learn(column, mels=4) if sounds else modalities.load("image").learn(column)
    return modality, column, content(modality.encode(column))


def picture(draw: np.random.Generator) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(draw.integers(0, 256, (6, 6, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def sound(draw: np.random.Generator, samples: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, draw.normal(size=samples) / 10, 8000, format="WAV")
    return stream.getvalue()


def content(encoded: Encoded) -> bytes:
    """All that an encoded column holds."""
    values = encoded.values
    arrays = [values.values, values.offsets] if isinstance(values, Ragged) else [values]
    texts = repr([(str(array.dtype), array.shape) for array in arrays] + [(p.row, p.reason) for p in encoded.problems])
    return b"".join([texts.encode(), encoded.present.tobytes(), *(array.tobytes() for array in arrays)])
