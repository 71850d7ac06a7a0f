"""Build a `transformers` backbone, load its weights, add adapters, and save memory."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sensorium.encoders._families import FAMILIES, own_settings
from sensorium.errors import ConfigError, SensoriumError, did_you_mean
from sensorium.files.pretrained_sources import find_model, missing_extra

# What a model calls its input → the modality that it is of; pixels of several frames are a video's.
INPUTS = {
    "input_ids": "text",
    "pixel_values": "image",
    "input_values": "audio",
    "input_features": "audio",
    "past_values": "series",
}
# Chance that no run's seed governs, and hidden input: what is trained, and on what, is for the run to say.
PLAIN = {"apply_spec_augment": False, "layerdrop": 0.0, "encoder_layerdrop": 0.0, "do_mask_input": False}
# Weights that only a model's own summary or pretraining uses: nothing that we read depends on them.
UNUSED = ("mask_token", "masked_spec_embed")
UNUSED_OF = {"clip_vision_model": "post_layernorm.", "convnext": "layernorm.", "convnextv2": "layernorm."}
# Matrices that a model reads past the layers which hold them: an addition to the layer would have no effect.
READ_AROUND = {"wavlm": r".*\.attention\.(q|k|v|out)_proj"}


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


def build_backbone(config: Mapping[str, Any], part: str) -> Any:
    """Build the model of a configuration, or its part, with random weights.

    Raises:
        ConfigError: `transformers` cannot build it.
        MissingExtraError: `transformers` is not installed.
    """
    settings = as_settings(config)
    for name, value in PLAIN.items():
        if hasattr(settings, name):
            setattr(settings, name, value)
    from transformers import AutoModel

    try:
        return _take_part(AutoModel.from_config(settings, trust_remote_code=False), part)
    except SensoriumError:
        raise
    # As above: sizes that don't divide each other, layers that there are none of …
    except Exception as error:  # noqa: BLE001
        kind = config["model_type"]
        raise ConfigError(
            f"transformers cannot build this {kind!r} model: {error}"[:300], place=f"model_type: {kind}"
        ) from None


def read_weights(model: str, part: str) -> dict[str, Tensor]:
    """Read the weights of a model, or of its part, from a folder or the Hugging Face Hub.

    Raises:
        ConfigError: the weights cannot be read, or some are missing.
    """
    from safetensors import SafetensorError
    from transformers import AutoModel

    try:
        whole, report = AutoModel.from_pretrained(
            find_model(model), use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"the weights cannot be read: {error}", place=f"model: {model}") from None
    taken = _take_part(whole.float(), part)
    prefix = next(f"{name}." if name else "" for name, module in whole.named_modules() if module is taken)
    own = {prefix + name for name, _ in taken.named_parameters() if not unused(name, taken.config.model_type)}
    missing = sorted(own & set(report["missing_keys"]))
    if missing:
        raise ConfigError(
            f"the weights cannot be read: {len(missing)} weights of the model are missing, such as {missing[0]}",
            place=f"model: {model}",
            rule="config.json and *.safetensors must belong to the same model",
        )
    return taken.state_dict()


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


def recompute_states(model: Any) -> None:
    """Switch on gradient checkpointing: store only the inputs of each layer, and recompute the rest for the gradient
    (Chen et al. 2016, arXiv:1604.06174).

    Raises:
        ConfigError: the model does not support it.
    """
    if not getattr(model, "supports_gradient_checkpointing", False):
        raise ConfigError(
            f"a {model.config.model_type!r} model does not support gradient checkpointing",
            place="checkpointing: true",
            cure="set checkpointing: false; train.accumulate saves memory, too",
        )
    how = {"use_reentrant": False}
    if hasattr(model, "activation_checkpointing_enable"):  # its name from transformers 5.20 or so on
        model.activation_checkpointing_enable(activation_checkpointing_kwargs=how)
    else:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=how)


def unused(name: str, kind: str) -> bool:
    """Return whether no state that the encoder reads depends on a weight."""
    return name.rpartition(".")[2] in UNUSED or (kind in UNUSED_OF and name.startswith(UNUSED_OF[kind]))


def takes(model: nn.Module, argument: str) -> bool:
    """Return whether the model's forward takes an argument of this name."""
    return argument in inspect.signature(model.forward).parameters


def as_settings(config: Mapping[str, Any]) -> Any:
    """Make a `transformers` configuration, with defaults for what `config.json` leaves out.

    Raises:
        ConfigError: `transformers` has no such model, or a setting is wrong.
        MissingExtraError: `transformers` is not installed.
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


def _take_part(model: Any, part: str) -> Any:
    """Return a part, the encoder of an encoder–decoder, or the whole model, without its unused pooling head."""
    model = getattr(model, part) if part and hasattr(model, part) else model
    pair = hasattr(model, "encoder") and hasattr(model, "decoder")  # though a saved encoder's settings may deny it
    found = model.get_encoder() if pair else model
    if isinstance(getattr(found, "pooler", None), nn.Module) and list(found.pooler.parameters()):
        found.pooler = None
    if getattr(found, "use_head", False):  # SigLIP's
        found.use_head, found.head = False, None
    return found
