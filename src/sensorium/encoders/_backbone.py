"""Build a `transformers` backbone, load its weights, and save memory."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sensorium.encoders._backbone_settings import as_settings
from sensorium.errors import ConfigError, SensoriumError
from sensorium.files.pretrained_sources import find_model

# Chance that no run's seed governs, and hidden input: what is trained, and on what, is for the run to say.
PLAIN = {"apply_spec_augment": False, "layerdrop": 0.0, "encoder_layerdrop": 0.0, "do_mask_input": False}
# Weights that only a model's own summary or pretraining uses: nothing that we read depends on them.
UNUSED = ("mask_token", "masked_spec_embed")
UNUSED_OF = {"clip_vision_model": "post_layernorm.", "convnext": "layernorm.", "convnextv2": "layernorm."}


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
