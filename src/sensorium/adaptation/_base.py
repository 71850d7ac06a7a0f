"""The base class of adaptation methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Generator

from sensorium.model import FittedModel
from sensorium.prepare.loader import Loader
from sensorium.runtime.progress import Reporter
from sensorium.table import Rows


@dataclass(frozen=True)
class Unlabelled:
    """Rows of the new domain.

    Attributes:
        loader: makes batches without labels.
        rows: indices of the rows that have a value in some column.
        random: the generator for all random draws, on the CPU.
        report: receives the progress.
    """

    loader: Loader
    rows: Rows
    random: Generator
    report: Reporter


class Adaptation(ABC):
    """Method that changes a model, given rows without labels.

    The file may name the tasks that it suits, or traits of tasks, as a literal; the default is all:

        TASKS = ("binary", "multiclass")

    Keyword-only parameters of the constructor are the options of the user.

    Example:
        A method that shrinks the weights of the head, and with them the confidence of every prediction:

        >>> import copy, torch
        >>> from types import SimpleNamespace
        >>> from sensorium.adaptation import Adaptation
        >>> class Cool(Adaptation):
        ...     def adapt(self, fitted, domain):
        ...         with torch.no_grad():
        ...             for weight in fitted.network.head.parameters():
        ...                 weight.mul_(0.5)
        ...         return {"rows": len(domain.rows)}
        >>> Cool().adapt(copy.deepcopy(model.fitted), SimpleNamespace(rows=np.arange(5)))
        {'rows': 5}
    """

    def check(self, fitted: FittedModel) -> None:  # noqa: B027 - most methods suit every model
        """Check that the model can be adapted by this method, before the cells of the table are read.

        Raises:
            ConfigError: the model cannot be adapted by this method.
        """

    @abstractmethod
    def adapt(self, fitted: FittedModel, domain: Unlabelled) -> dict[str, Any]:
        """Change the network of the model in place.

        Returns:
            What the method observed and did, as JSON values, for the model card.

        Raises:
            ConfigError: the model has nothing that the method changes.
        """
