"""Add low-rank adapters to a `transformers` model."""

from __future__ import annotations

import warnings
from typing import Any

from sensorium.errors import ConfigError
from sensorium.files.pretrained_sources import missing_extra

# Matrices that a model reads past the layers which hold them: an addition to the layer would have no effect.
READ_AROUND = {"wavlm": r".*\.attention\.(q|k|v|out)_proj"}


def add_low_rank(model: Any, rank: int) -> Any:
    """Add low-rank adapters to a model and freeze the rest (LoRA, Hu et al. 2021, arXiv:2106.09685).

    Raises:
        ConfigError: the model has no linear layers.
        MissingExtraError: `peft` is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise missing_extra() from None
    kind = model.config.model_type
    without = READ_AROUND.get(kind)
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", exclude_modules=without)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of the two libraries to each other
            # GPT-2 keeps its matrices the other way round: the library sees it, turns its additions, and tells.
            warnings.filterwarnings("ignore", ".*fan_in_fan_out", UserWarning)
            added: Any = get_peft_model(model, settings)
    except ValueError:
        raise ConfigError(
            f"a {kind!r} model has no linear layers for low-rank adapters",
            place="tune: lora",
            cure="set tune: last or tune: full",
        ) from None
    return added.base_model.model


def below_additions(name: str) -> str:
    """Return the name of a weight after low-rank adapters were added."""
    owner, _, leaf = name.rpartition(".")
    return f"{owner}.base_layer.{leaf}"
