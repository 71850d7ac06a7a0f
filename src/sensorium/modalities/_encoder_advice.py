"""Default encoders by number of rows and length; `dev/log.md` has the measurements behind the limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensorium.findings import count
from sensorium.modalities._text_cells import count_words, joined_lists
from sensorium.table import Column

FEW_ROWS = 2000  # training rows below which word vectors are not learned from scratch
LONG = 250  # words or steps above which a recurrent network is too slow
SAMPLE = 500  # texts whose words are counted
USUAL = 0.9  # share of texts that are not longer than their usual length


@dataclass(frozen=True)
class EncoderAdvice:
    """Encoder that suits a column better than the default of its modality.

    Attributes:
        name: registered name.
        reason: why, for people: a clause about the column or the table.
    """

    name: str
    reason: str


def advise_text(rows: int, words: int) -> EncoderAdvice | None:
    """Return the encoder of texts of a usual length in words; None for the default.

    >>> from sensorium.modalities._encoder_advice import advise_text
    >>> advise_text(500, 30).name, advise_text(50_000, 900).name, advise_text(50_000, 30)
    ('text_tfidf', 'text_cnn', None)
    """
    if rows < FEW_ROWS:
        return EncoderAdvice("text_tfidf", f"{count(rows, 'training row')} are too few to learn word vectors from")
    if words > LONG:
        return EncoderAdvice("text_cnn", f"texts of {words:,} words are slow in a recurrent network")
    return None


def advise_series(steps: int) -> EncoderAdvice | None:
    """Return the encoder of series with a number of steps; None for the default.

    >>> from sensorium.modalities._encoder_advice import advise_series
    >>> advise_series(1250).name, advise_series(20)
    ('series_statistics', None)
    """
    if steps > LONG:
        return EncoderAdvice("series_statistics", f"series of {steps:,} steps are slow in a recurrent network")
    return None


def usual_words(column: Column) -> int:
    """Return the number of words that nine of ten texts of a column do not exceed, from a sample."""
    counts = [count_words(str(text)) for text in joined_lists(column).sample(SAMPLE)]
    return int(np.quantile(counts, USUAL)) if counts else 0
