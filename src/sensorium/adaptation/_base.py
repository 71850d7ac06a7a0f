"""The contract that every method of adaptation keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from torch import Generator

from sensorium.model import FittedModel
from sensorium.prepare.loader import Loader
from sensorium.runtime.progress import Reporter

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Unlabelled:
    """Rows of the new domain.

    Attributes:
        loader: makes batches of them, without labels.
        rows: places of those that have a value in some column.
        random: the only source of chance; it draws on the CPU.
        report: where progress is told.
    """

    loader: Loader
    rows: Rows
    random: Generator
    report: Reporter


class Adaptation(ABC):
    """Changes a model by rows without labels.

    The file may say which tasks it suits, as a literal that a listing can read; without it all are suited:

        TASKS = ("binary", "multiclass")

    Keyword-only parameters of its constructor are the user's options.

    Example:
        A method that shrinks the weights of the head, and with them the confidence of every prediction:

        >>> import copy, torch
        >>> from types import SimpleNamespace
        >>> from sensorium.adaptation import Adaptation
        >>> class Cool(Adaptation):
        ...     def adapt(self, bundle, domain):
        ...         with torch.no_grad():
        ...             for weight in bundle.network.head.parameters():
        ...                 weight.mul_(0.5)
        ...         return {"rows": len(domain.rows)}
        >>> Cool().adapt(copy.deepcopy(model.bundle), SimpleNamespace(rows=np.arange(5)))
        {'rows': 5}
    """

    def check(self, bundle: FittedModel) -> None:  # noqa: B027 - most methods suit every model
        """Has the model what the method changes? Asked before the table's cells are read.

        Raises:
            ConfigError: it has not.
        """

    @abstractmethod
    def adapt(self, bundle: FittedModel, domain: Unlabelled) -> dict[str, Any]:
        """Change the bundle's network in place.

        Returns:
            What it saw and did, as JSON values, for the model's card.

        Raises:
            ConfigError: the model has nothing that the method could change.
        """
