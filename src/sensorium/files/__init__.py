"""Write files and folders atomically, one process at a time."""

from sensorium.files.archives import UNREADABLE_TAR, UNREADABLE_ZIP
from sensorium.files.lock import alone_in, one_writer
from sensorium.files.places import CURE, MANIFEST, MODEL_FORMAT, check_apart, check_outside_models, is_model
from sensorium.files.replace import replaced_file, replaced_folder, standing, sweep
from sensorium.files.scratch import scratch_folder

__all__ = [
    "CURE",
    "MANIFEST",
    "MODEL_FORMAT",
    "UNREADABLE_TAR",
    "UNREADABLE_ZIP",
    "alone_in",
    "check_apart",
    "check_outside_models",
    "is_model",
    "one_writer",
    "replaced_file",
    "replaced_folder",
    "scratch_folder",
    "standing",
    "sweep",
]
