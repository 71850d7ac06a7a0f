"""Sensorium: multimodal deep learning from tables of text, images, sound, numbers, categories and dates.

>>> import sensorium
>>> model = sensorium.fit("table.csv", target="label", out="run")     # doctest: +SKIP
>>> model.predict("new.csv")                                          # doctest: +SKIP

Importing this package imports neither torch nor pyarrow; each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensorium.api import compare as compare
    from sensorium.api import fit as fit
    from sensorium.errors import SensoriumError as SensoriumError
    from sensorium.inspection import inspect as inspect
    from sensorium.predictor import Model as Model
    from sensorium.predictor import load as load

__version__ = "0.1.0"

_HOMES = {
    "Model": "predictor",
    "SensoriumError": "errors",
    "compare": "api",
    "fit": "api",
    "inspect": "inspection",
    "load": "predictor",
}
__all__ = ["Model", "SensoriumError", "__version__", "compare", "fit", "inspect", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sensorium' has no attribute {name!r}")
    return getattr(import_module(f"sensorium.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
