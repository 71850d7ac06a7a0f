"""Files and folders that are whole at every moment, and that one process writes at a time."""

from sensorium.files.lock import alone_in, one_writer
from sensorium.files.replace import replaced_file, replaced_folder, standing, sweep

__all__ = ["alone_in", "one_writer", "replaced_file", "replaced_folder", "standing", "sweep"]
