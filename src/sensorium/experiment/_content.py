"""What tells whether the columns of a job hold what they held before: the files that cells name may have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from sensorium.experiment._job import Job
from sensorium.files.state import HasState
from sensorium.modalities import Encoded
from sensorium.prepare import hash_arrays, hash_cells, hash_encoded
from sensorium.prepare.streamed import Streamed


def hash_columns(job: Job, names: Iterable[str]) -> dict[str, str]:
    """Column → a hash of its prepared arrays and of what was learnt of it.

    A streamed column has no arrays, and those that a frozen encoder made may differ in the last bit on another machine:
    in their stead count the cells and their files, known as the settings say (`prepare.identify`), and the encoder.
    """
    return {name: hash_state(job.learnt[name], _source(job, name)) for name in names}


def hash_state(learned: HasState, more: str = "") -> str:
    """Of what was learnt."""
    values, arrays = learned.state()
    text = json.dumps([more, values, sorted(arrays)], sort_keys=True, default=str)
    found = hash_arrays(arrays[name] for name in sorted(arrays))
    return hashlib.sha256(f"{text} {found}".encode()).hexdigest()


def _source(job: Job, name: str) -> str:
    found = job.prepared.columns[name]
    encoder = {tower.columns[0]: tower.name for tower in job.blueprint.towers if tower.name in job.frozen}.get(name)
    if isinstance(found, Encoded) and encoder is None:
        return hash_encoded(found)
    column = found.column if isinstance(found, Streamed) else job.table.take(job.used).column(name)
    cells = hash_cells(column, job.config.prepare.identify)
    return f"{cells} {job.frozen[encoder].identity()}" if encoder else cells
