"""Text, tokenized with a vocabulary of words or subwords learned from the training rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, NonNegativeInt, PositiveInt

from sensorium.config import Many, Probability, set_option, setting_of
from sensorium.findings import Guess, Problem, count, shorten
from sensorium.modalities._base import EncoderSpec, Modality
from sensorium.modalities._encoded import Encoded, Ragged, Work
from sensorium.modalities._encoder_advice import EncoderAdvice, advise_text, usual_words
from sensorium.modalities._new_tokenizer import UNKNOWN, Unit, new_tokenizer, pretrained_tokenizer, trainer_of
from sensorium.modalities._overview import Overview
from sensorium.modalities._text_cells import (
    CHUNK,
    LONGEST,
    character_limit,
    chunks_of,
    count_tokens,
    count_words,
    joined_lists,
    sample_of_texts,
)
from sensorium.modalities._tokenizer import check_tokenizer, cut_off, split_texts, vocabulary_size
from sensorium.modalities._words import word_caution
from sensorium.modalities.category import REPEATS, SENTENCE
from sensorium.table import Column, find_list_notation

if TYPE_CHECKING:
    from tokenizers import Tokenizer
LISTS_FROM = 200  # cells by which lists of numbers are distinguished from text
MANY_UNKNOWN, MANY_CUT = 0.8, 0.05  # shares of rare words that are reported; the latter for a full vocabulary
HUGE = 100_000  # length in characters above which a cut text is reported


@dataclass(frozen=True)
class Text(Modality):
    """Free text in any language; a list of texts (such as the messages of a day) is read as one, a line per text.

    Encodes to Ragged int32[total]: token ids, 0 for padding, 1 for unknown.

    Attributes:
        tokenizer: a `tokenizers` tokenizer as JSON.
        length: tokens of a text that networks read, the first ones.
        cut, seen: number of training texts that are longer, and of all.
        unknown_share: share of unknown tokens in the training texts.
        full: whether the vocabulary has no room left.
        whole: whether the tokens after the first `length` are encoded as well, for linear models and boosted trees;
            False for a pretrained tokenizer, which ends a text with a token of its own, and for models of older
            versions.
    """

    encoder: ClassVar[str] = "bilstm"
    near_duplicates: ClassVar[Literal["", "picture", "text"]] = "text"

    tokenizer: str
    length: Many
    cut: NonNegativeInt = 0
    seen: NonNegativeInt = 0
    unknown_share: Probability = 0.0
    full: bool = False
    whole: bool = False

    def check(self) -> None:
        check_tokenizer(self._tokenizer)

    @classmethod
    def looks_like(cls, column: Column) -> Guess | None:
        joined = joined_lists(column)
        parts = sample_of_texts(column) if joined.is_string else []
        if not parts:
            return None
        words = sum(count * count_words(part) for part, count in Counter(parts).items()) / len(parts)
        share = joined.distinct / len(joined.values)
        kind, each = ("lists of texts, joined per cell; ", " per text") if column.is_list else ("", "")
        reason = f"{kind}{words:.1f} words{each} on average, {share:.0%} of the cells are distinct"
        if column.is_string and find_list_notation(column.sample(LISTS_FROM)):
            return Guess(0.3, reason)
        confidence = 0.9 if words >= SENTENCE else 0.8 if share > REPEATS and words >= 1.5 else 0.4
        return Guess(confidence, reason, column.once(word_caution))

    @classmethod
    def learn(
        cls,
        column: Column,
        *,
        unit: Unit = "word",
        vocabulary: Annotated[int, Field(ge=2)] = 10_000,
        min_count: PositiveInt = 2,
        lowercase: bool = True,
        length: Many | None = None,
        tokenizer: str | None = None,
    ) -> Self:
        """Learn the vocabulary and the length kept.

        Args:
            column: training rows.
            unit: tokens are whole words, byte-pair subwords (Sennrich et al. 2016, arXiv:1508.07909), or characters.
            vocabulary: largest number of tokens, including padding and unknown.
            min_count: rarer words (or pairs) do not become tokens.
            lowercase: convert to lower case.
            length: tokens of a text that networks read, the first ones; by default the length of the longest training
                text, at most 1,024. Linear models and boosted trees read 24 characters per token, at least 24,576.
            tokenizer: use the tokenizer of a pretrained model, folder or hub name, instead of learning one.
        """
        whole = joined_lists(column).strings.drop_null()
        most = character_limit(length or LONGEST)
        texts = pc.utf8_slice_codeunits(whole, 0, most)
        found = pretrained_tokenizer(tokenizer) if tokenizer else new_tokenizer(unit, lowercase)
        if not tokenizer:
            found.train_from_iterator(chunks_of(texts), trainer_of(unit, vocabulary, min_count))
        counts, unknown = count_tokens(found, texts)
        length = length or min(LONGEST, max(1, int(counts.max(initial=1))))
        cut = int(((counts > length) | (np.asarray(pc.utf8_length(whole)) > most)).sum())
        full = not tokenizer and found.get_vocab_size() >= vocabulary
        share = unknown / max(1, int(counts.sum()))
        return cls(found.to_str(), length, cut, len(whole), share, full, whole=not tokenizer)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return cut_off(self.tokenizer, None if self.whole else self.length)

    def encode(self, column: Column, work: Work = Work()) -> Encoded:
        strings = joined_lists(column).strings
        blank = np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(strings), ""), True))
        present = column.present & ~blank
        problems = self._cut_texts(strings, column)
        cut = pc.utf8_slice_codeunits(pc.fill_null(strings, ""), 0, character_limit(self.length))
        empty = np.empty(0, np.int32)
        parts = []
        for texts, there in zip(chunks_of(cut), np.split(present, range(CHUNK, len(present), CHUNK)), strict=False):
            found = split_texts(self._tokenizer, texts)
            # A text without known characters (only punctuation) is present: one unknown token.
            cells = [np.array((e.ids or [1]) if real else [], np.int32) for e, real in zip(found, there, strict=True)]
            parts.append(Ragged.of(cells, empty))
            work.advance(len(texts))
        return Encoded(Ragged.join(parts, empty), present, problems, self.length if self.whole else None)

    def _cut_texts(self, strings: pa.Array, column: Column) -> list[Problem]:
        lengths = np.asarray(pc.fill_null(pc.utf8_length(strings), 0))
        reason = f"the text has more than {HUGE:,} characters: networks read only its first {self.length} tokens"
        return [
            Problem(
                int(row),
                column.name,
                reason,
                f"a larger {setting_of(column.name, 'length')} reads more",
                shorten(strings[int(row)].as_py()),
            )
            for row in np.flatnonzero(lengths > HUGE)
        ]

    def findings(self, column: str) -> list[Problem]:
        found = []
        if self.cut:
            told = f"{self.cut:,} of {count(self.seen, 'text')} are longer than {count(self.length, 'token')}"
            setting = f"a larger {setting_of(column, 'length')} keeps more"
            end = f"{told}: {'networks do not read their end' if self.whole else 'their end is cut'}"
            found.append(Problem(None, column, end, setting))
        if self.unknown_share >= (MANY_CUT if self.full else MANY_UNKNOWN):
            reason = f"{self.unknown_share:.0%} of the words are rare and read as unknown"
            subword = set_option(column, "unit", "subword")
            cure = f"{subword} splits them; min_count=1 and a larger vocabulary keep more words"
            found.append(Problem(None, column, reason, cure))
        return found

    def encoder_spec(self) -> EncoderSpec:
        return {"vocabulary": vocabulary_size(self._tokenizer)}

    def advise_encoder(self, column: Column, rows: int) -> EncoderAdvice | None:
        return advise_text(rows, min(self.length, usual_words(column)))

    def unknown(self) -> int | None:
        return self._tokenizer.token_to_id(UNKNOWN)

    def overview(self, column: Column) -> Overview:
        lengths = pc.utf8_length(joined_lists(column).strings.drop_null())
        return Overview({"length in characters": np.asarray(lengths, np.float64)})

    def describe(self) -> str:
        rare = f" ({self.unknown_share:.0%} of the words are rare and unknown)" if self.unknown_share >= 0.005 else ""
        return f"vocabulary {self._tokenizer.get_vocab_size():,}{rare}, at most {self.length} tokens"
