"""Convert pandas' extension types: periods and intervals."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from sensorium.table._plain_scalars import NoPlainForm

PERIOD, INTERVAL = "pandas.period", "pandas.interval"
PERIODS = {"A": "Y", "T": "m", "min": "m", "H": "h", "S": "s", "L": "ms", "U": "us", "N": "ns"}  # of pandas → of NumPy
UNITS = ("Y", "M", "D", "h", "m", "s", "ms", "us", "ns")
BRACKETS = {"left": ("[", ")"), "right": ("(", "]"), "both": ("[", "]"), "neither": ("(", ")")}


def plain_pandas(storage: pa.Array, name: str, parameters: bytes) -> pa.Array:
    """Convert periods to their start times, and intervals to text in pandas' notation."""
    try:
        said = json.loads(parameters or b"{}")
    except (ValueError, RecursionError):
        said = {}
    said = said if isinstance(said, dict) else {}
    parts = {field.name for field in storage.type} if pa.types.is_struct(storage.type) else set()
    if parts != ({"left", "right"} if name == INTERVAL else set()):
        raise NoPlainForm(f"{name} stored as {storage.type}")
    if name == INTERVAL:
        opens, closes = BRACKETS.get(said.get("closed", ""), ("(", "]"))
        cells = (None if v is None else f"{opens}{v['left']}, {v['right']}{closes}" for v in storage.to_pylist())
        return pa.array(cells, pa.string())
    base = str(said.get("freq", "")).partition("-")[0]
    steps, unit = (3, "M") if base == "Q" else (1, PERIODS.get(base, base))
    if unit not in UNITS:
        raise NoPlainForm(f"pandas.period of frequency {base!r}")
    ordinals = storage.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False) * steps
    moments = ordinals.astype(f"datetime64[{unit}]").astype("datetime64[us]")
    return pa.array(moments, pa.timestamp("us"), mask=np.asarray(storage.is_null()))
