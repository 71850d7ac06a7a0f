"""Sensorium: multimodal deep learning from tables of text, images, audio, numbers, categories and dates.

>>> import sensorium
>>> model = sensorium.fit("films.csv", target="genre", out="run", epochs=1, progress=False)
>>> model.predict("new_films.csv").shape
(5,)

The examples of the docstrings read `films.csv`, a table with the columns `plot` (text), `length` (numbers), `studio`
(categories) and `genre`; `model` is a model of it, `np` is NumPy. The tests run every example.

Importing this package imports neither torch nor pyarrow; each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensorium.api import compare as compare
    from sensorium.api import fit as fit
    from sensorium.comparison import Comparison as Comparison
    from sensorium.config import Config as Config
    from sensorium.errors import ArtifactError as ArtifactError
    from sensorium.errors import BusyError as BusyError
    from sensorium.errors import CallbackError as CallbackError
    from sensorium.errors import ConfigError as ConfigError
    from sensorium.errors import DataError as DataError
    from sensorium.errors import MissingExtraError as MissingExtraError
    from sensorium.errors import OutOfMemoryError as OutOfMemoryError
    from sensorium.errors import SchemaError as SchemaError
    from sensorium.errors import SensoriumError as SensoriumError
    from sensorium.errors import StoreError as StoreError
    from sensorium.errors import TableError as TableError
    from sensorium.errors import TrainingError as TrainingError
    from sensorium.errors import UnknownNameError as UnknownNameError
    from sensorium.evaluate import Evaluation as Evaluation
    from sensorium.inspection import Inspection as Inspection
    from sensorium.inspection import inspect as inspect
    from sensorium.predictor import Model as Model
    from sensorium.predictor import Predictions as Predictions
    from sensorium.predictor import load as load
    from sensorium.runtime.events import Callback as Callback
    from sensorium.runtime.events import EpochEnd as EpochEnd
    from sensorium.runtime.events import FitEnd as FitEnd
    from sensorium.runtime.events import FitStart as FitStart
    from sensorium.runtime.events import StopTraining as StopTraining
    from sensorium.train import Interrupted as Interrupted

__version__ = "0.1.0"

_HOMES = {
    "Comparison": "comparison",
    "Config": "config",
    "Evaluation": "evaluate",
    "Inspection": "inspection",
    "Interrupted": "train",
    "Model": "predictor",
    "Predictions": "predictor",
    "compare": "api",
    "fit": "api",
    "inspect": "inspection",
    "load": "predictor",
}
_ERRORS = (
    "ArtifactError", "BusyError", "CallbackError", "ConfigError", "DataError", "MissingExtraError", "OutOfMemoryError",
    "SchemaError", "SensoriumError", "StoreError", "TableError", "TrainingError", "UnknownNameError",
)  # fmt: skip
_EVENTS = ("Callback", "EpochEnd", "FitEnd", "FitStart", "StopTraining")
_HOMES |= dict.fromkeys(_ERRORS, "errors") | dict.fromkeys(_EVENTS, "runtime.events")
__all__ = [
    "ArtifactError",
    "BusyError",
    "Callback",
    "CallbackError",
    "Comparison",
    "Config",
    "ConfigError",
    "DataError",
    "EpochEnd",
    "Evaluation",
    "FitEnd",
    "FitStart",
    "Inspection",
    "Interrupted",
    "MissingExtraError",
    "Model",
    "OutOfMemoryError",
    "Predictions",
    "SchemaError",
    "SensoriumError",
    "StopTraining",
    "StoreError",
    "TableError",
    "TrainingError",
    "UnknownNameError",
    "__version__",
    "compare",
    "fit",
    "inspect",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sensorium' has no attribute {name!r}")
    from sensorium.runtime.thread_environment import while_loading

    with while_loading("torch"):
        return getattr(import_module(f"sensorium.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
