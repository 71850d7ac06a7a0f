"""Save and load models as JSON and safetensors. Nothing is pickled or executed; the manifest is written last."""

from sensorium.artifact.format import to_json
from sensorium.artifact.load import check_saved, load_fitted
from sensorium.artifact.save import check_place, save_fitted, sweep_model, write_file

__all__ = [
    "check_place",
    "check_saved",
    "load_fitted",
    "save_fitted",
    "sweep_model",
    "to_json",
    "write_file",
]
