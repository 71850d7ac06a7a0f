"""Features of each modality, as the members of a fitted model compute them: by which rows can be clustered."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array, hstack

from sensorium.model.fitted import FittedModel
from sensorium.model.member import NetworkMember
from sensorium.prepare import Prepared
from sensorium.prepare.loader import Loader
from sensorium.prepare.summaries import Summary, summarize

TERMS = 4096  # columns that words and pairs of words are hashed to

Features: TypeAlias = npt.NDArray[np.float32] | csr_array


def tower_features(fitted: FittedModel, prepared: Prepared, towers: Collection[str]) -> dict[str, Features]:
    """Return features of some modalities of prepared rows, [n, f].

    They are the summaries of the first network's encoder, float32; NaN in rows without the modality. Modalities that no
    network reads have the summaries of classical models: counts of words in hashed columns (sparse), codes, or numbers.

    Args:
        fitted: the model.
        prepared: its columns.
        towers: names of modalities.
    """
    found = dict[str, Features]()
    for member in fitted.members:
        own = [name for name in towers if name in member.towers and name not in found]
        if isinstance(member, NetworkMember) and own:
            found |= _encoder_summaries(member, prepared, own)
    return found | {name: _summaries(fitted, prepared, name) for name in towers if name not in found}


def _encoder_summaries(member: NetworkMember, prepared: Prepared, towers: Collection[str]) -> dict[str, Features]:
    read = prepared.only(member.columns)
    rows, modules = np.flatnonzero(read.has_any()), {name: member.network.tower(name) for name in towers}
    found: dict[str, npt.NDArray[np.float32]] = {}
    member.network.eval()
    with torch.inference_mode():
        for places, batch in Loader(read, None, member.device).by_length(rows, member.batch):
            for name, tower in modules.items():
                values, own = tower.summarize(batch)
                shape = len(prepared), values.shape[1]
                mine = found.setdefault(name, np.full(shape, np.nan, np.float32))
                mine[rows[places.numpy()[own.cpu().numpy()]]] = values.float().cpu().numpy()
    nothing = np.full((len(prepared), 1), np.nan, np.float32)
    return {name: found.get(name, nothing) for name in towers}


def _summaries(fitted: FittedModel, prepared: Prepared, tower: str) -> Features:
    columns = summarize(prepared.only(fitted.tower_columns[tower])).columns.values()
    parts = [_hashed(own) if own.kind == "terms" else own.values.reshape(len(own.present), -1) for own in columns]
    if any(own.kind == "terms" for own in columns):
        return csr_array(hstack(parts))
    return np.concatenate(parts, 1).astype(np.float32)


def _hashed(own: Summary) -> csr_array:
    counts = csr_array(own.values)
    columns = (own.keys % TERMS)[counts.indices]
    return csr_array((counts.data, columns, counts.indptr), shape=(counts.shape[0], TERMS))
