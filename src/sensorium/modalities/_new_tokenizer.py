"""Make a tokenizer: a new one of words, subwords or characters, or that of a pretrained model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias

from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import find_model
from sensorium.modalities._tokenizer_parts import parse

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.trainers import Trainer

Unit: TypeAlias = Literal["word", "subword", "character"]

TOKENIZER = "tokenizer.json"
PAD, UNKNOWN = "[PAD]", "[UNK]"
AS_PICTURE = "\ufe0f"  # variation selector of emoji: a colour presentation with the same meaning


def pretrained_tokenizer(model: str) -> Tokenizer:
    from tokenizers import Tokenizer

    path = find_model(model) / TOKENIZER
    try:
        found = Tokenizer.from_str(json.dumps(parse(path.read_text(encoding="utf-8"))))
    except Exception as error:  # noqa: BLE001 - the library raises plain Exception
        cure = f"save it as {TOKENIZER}: AutoTokenizer.from_pretrained(…).save_pretrained(folder)"
        raise ConfigError(f"the tokenizer cannot be read: {error}", place=str(path), cure=cure) from None
    found.no_padding()
    found.no_truncation()
    return found


def new_tokenizer(unit: str, lowercase: bool) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    model = models.BPE(unk_token=UNKNOWN) if unit == "subword" else models.WordLevel(unk_token=UNKNOWN)
    tokenizer = Tokenizer(model)
    # NFKC folds full-width and composed forms. In scripts without spaces between words, each letter with
    # its vowel signs is a token; so is a pictograph.
    clean = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=lowercase
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(AS_PICTURE, ""), clean])
    scripts = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Myanmar}\p{Khmer}"
    words = Regex(rf"[{scripts}]\p{{M}}*|[\w&&[^{scripts}]]+|\p{{Emoji_Presentation}}|\p{{Extended_Pictographic}}")
    every = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.pre_tokenizer = every if unit == "character" else pre_tokenizers.Split(words, "removed", invert=True)
    return tokenizer


def trainer_of(unit: str, vocabulary: int, min_count: int) -> Trainer:
    from tokenizers import trainers

    # WordLevel and BPE trainers are deterministic; WordPiece and Unigram are not.
    trainer = trainers.BpeTrainer if unit == "subword" else trainers.WordLevelTrainer
    return trainer(vocab_size=vocabulary, min_frequency=min_count, special_tokens=[PAD, UNKNOWN], show_progress=False)
