"""Your own module: an `nn.Module`, or a Keras 3 model on the torch backend."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sensorium.batch import Cells, Tokens
from sensorium.encoders.image_cnn import map_tokens, unit_range
from sensorium.errors import SensoriumError
from sensorium.modalities import EncoderSpec
from sensorium.registry.failures import member_error, shape_of

ACCEPTS = ("text", "image", "audio")
EXPORT = "only its author knows whether a module can be exported"


class Module(nn.Module):
    """Wrapper of the user's own module.

    The module gets ids int64 (b, t) of a text; pixels float (b, c, h, w) from −1 to 1 of an image (channels last for
    Keras); frames float (b, t, mels) of an audio clip, or samples (b, t) with `form: waveform`. It returns (b, d), (b,
    t, d) or a map (b, d, h, w).

    A file cannot hold the code of the module: pass it again to `sensorium.load(path, encoders={...})`.

    Args:
        module: the user's module.
        encoder_spec: what the column's modality supplies. The module is run once on sample cells to find its width.
    """

    def __init__(self, module: nn.Module, encoder_spec: EncoderSpec) -> None:
        super().__init__()
        self.module = module
        self._keras = any(base.__module__.startswith("keras.") for base in type(module).__mro__)
        if self._keras:
            self._register_state_dict_hook(_by_number)  # type: ignore[no-untyped-call]
            self.register_load_state_dict_pre_hook(_by_name)  # type: ignore[no-untyped-call]
        training, self.width = module.training, 0
        with torch.no_grad(), torch.device("cpu"):  # the user's module is there, whatever else is built without memory
            self.width = self._encode_sample(encoder_spec).values.shape[2]
        module.train(training)

    def _encode_sample(self, encoder_spec: EncoderSpec) -> Tokens:
        """Encode sample cells.

        Raises:
            MemberError: the module raises an exception, which is the cause.
        """
        sample = sample_cells(encoder_spec)
        try:
            return self.eval()(sample)
        except (SensoriumError, MemoryError):
            raise
        except Exception as error:
            given = f"values: {shape_of(self._input(sample))}, as the column's cells are"
            raise member_error(
                "encoder", type(self.module).__name__, "forward", error, given=given, passed=True
            ) from error

    def forward(self, cells: Cells) -> Tokens:
        out = self.module(self._input(cells))
        if not isinstance(out, Tensor) or out.dim() not in (2, 3, 4) or len(out) != len(cells.values):
            raise self._unsuited(cells, f"the module returned {shape_of(out)} for {len(cells.values)} rows")
        if not out.is_floating_point():
            raise self._unsuited(cells, f"the module returned {shape_of(out)} instead of floating-point numbers")
        found = self._tokens(out, cells)
        if self.width and found.values.shape[2] != self.width:
            finding = f"the module returned {shape_of(out)}: the width depends on the number of steps"
            raise self._unsuited(cells, finding)
        return found

    def _unsuited(self, cells: Cells, finding: str) -> SensoriumError:
        values, name = self._input(cells), type(self.module).__name__
        return member_error("encoder", name, "forward", finding, given=f"values: {shape_of(values)}", passed=True)

    def _tokens(self, out: Tensor, cells: Cells) -> Tokens:
        if out.dim() == 2:
            return Tokens.of_vector(out)
        if out.dim() == 4:
            return map_tokens(out.permute(0, 3, 1, 2) if self._keras else out)
        if cells.mask is not None and cells.mask.shape[1] == out.shape[1]:
            return Tokens(out, cells.mask)
        return Tokens(out, out.new_ones(out.shape[:2]).bool())

    def _input(self, cells: Cells) -> Tensor:
        values = cells.values
        if values.dtype == torch.uint8:
            pixels = unit_range(values)
            return pixels.permute(0, 2, 3, 1) if self._keras else pixels
        return values.long() if values.dtype == torch.int32 else values


def _by_number(encoder: Module, state: dict[str, Any], prefix: str, _: Any) -> None:
    """Name the weights by number in `state`, as names of Keras layers differ between processes (`conv2d_2`)."""
    for number, name in enumerate(encoder.module.state_dict()):
        state[f"{prefix}weight_{number}"] = state.pop(f"{prefix}module.{name}")


def _by_name(encoder: Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for number, name in enumerate(encoder.module.state_dict()):
        if f"{prefix}weight_{number}" in state:
            state[f"{prefix}module.{name}"] = state.pop(f"{prefix}weight_{number}")


def sample_cells(encoder_spec: EncoderSpec) -> Cells:
    """Make two rows of cells in the form that the modality returns."""
    there = torch.ones(2, dtype=torch.bool)
    if "vocabulary" in encoder_spec:
        return Cells(torch.ones(2, 8, dtype=torch.int32), there, torch.ones(2, 8, dtype=torch.bool))
    if "mels" in encoder_spec:
        return Cells(torch.zeros(2, 100, encoder_spec["mels"]), there, torch.ones(2, 100, dtype=torch.bool))
    if encoder_spec.get("form") == "waveform":
        return Cells(torch.zeros(2, encoder_spec["rate"]), there, torch.ones(2, encoder_spec["rate"], dtype=torch.bool))
    return Cells(
        torch.zeros(2, encoder_spec["size"], encoder_spec["size"], encoder_spec["channels"], dtype=torch.uint8), there
    )
