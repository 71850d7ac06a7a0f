"""Train models from Python: `fit` and `compare`. The command line calls the same functions."""

from sensorium.api._call import Settings, gather_config
from sensorium.api._compare import compare
from sensorium.api._fit import fit

__all__ = ["Settings", "compare", "fit", "gather_config"]
