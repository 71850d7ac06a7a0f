"""Models as files: JSON and safetensors, nothing executed, nothing pickled, the manifest written last."""

from sensorium.artifact.load import load_bundle
from sensorium.artifact.save import check_place, save_bundle

__all__ = ["check_place", "load_bundle", "save_bundle"]
