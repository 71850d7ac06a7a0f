"""Settings of `transformers` models, and the modality that a model takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sensorium.encoders._families import FAMILIES, own_settings
from sensorium.errors import ConfigError, SensoriumError, did_you_mean
from sensorium.files.pretrained_sources import missing_extra

# What a model calls its input → the modality that it is of; pixels of several frames are a video's.
INPUTS = {
    "input_ids": "text",
    "pixel_values": "image",
    "input_values": "audio",
    "input_features": "audio",
    "past_values": "series",
}


def check_kind(config: Mapping[str, Any], modality: str, part: str) -> None:
    """Check that a model takes this modality and belongs to a supported family.

    Args:
        config: the model's configuration.
        modality: `text`, `image`, `audio`, `video` or `series`.
        part: the half of a two-part model (such as CLIP) to use.

    Raises:
        ConfigError: `transformers` has no such model, or the model takes another modality.
        MissingExtraError: `transformers` is not installed.
    """
    settings = as_settings(config)
    found = _modality(getattr(settings, part.replace("_model", "_config"), settings) if part else settings)
    if found != modality:
        kind = config["model_type"]
        raise ConfigError(
            f"a {kind!r} model takes {found or 'other input'}, not {modality}",
            place=f"encoder 'pretrained_{modality}', model_type: {kind}",
            cure=f"choose a model for {modality}"
            + (f", or pretrained_{found} for a column of {found}" if found else ""),
        )
    if config["model_type"] not in FAMILIES[modality]:
        raise ConfigError(
            f"models of the family {config['model_type']!r} are not supported",
            place=f"encoder 'pretrained_{modality}', model_type: {config['model_type']}",
            rule="only families whose code loads nothing but weights are supported",
            cure=f"choose one of: {', '.join(sorted(FAMILIES[modality]))}",
        )


def as_settings(config: Mapping[str, Any]) -> Any:
    """Make a `transformers` configuration, with defaults for what `config.json` leaves out.

    Raises:
        ConfigError: `transformers` has no such model, or a setting is wrong.
        MissingExtraError: it is not installed.
    """
    try:
        from transformers import CONFIG_MAPPING, AutoConfig
        from transformers.utils import logging
    except ImportError:
        raise missing_extra() from None
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        raise ConfigError(
            f"transformers has no {kind!r} model",
            place=f"model_type: {kind}",
            rule="the code of the model must be part of transformers; a newer version may have it",
            cure=did_you_mean(str(kind), list(CONFIG_MAPPING)),
        )
    try:
        return AutoConfig.for_model(kind, **own_settings(config, CONFIG_MAPPING))
    except SensoriumError:
        raise
    # The library's classes of settings raise from many families, some after a computation with a wrong value.
    except Exception as error:  # noqa: BLE001
        reason = f"{error}".strip().splitlines()[-1:] or [type(error).__name__]
        raise ConfigError(
            f"a {kind!r} model cannot have these settings: {reason[0]}"[:300], place=f"model_type: {kind}"
        ) from None


def _modality(settings: Any) -> str:
    from transformers import MODEL_MAPPING

    if type(settings) not in MODEL_MAPPING:
        return ""
    kind = MODEL_MAPPING[type(settings)]
    found = INPUTS.get(getattr(kind[0] if isinstance(kind, tuple) else kind, "main_input_name", ""), "")
    return "video" if found == "image" and hasattr(settings, "num_frames") else found
