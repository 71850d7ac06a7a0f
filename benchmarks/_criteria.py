"""Criteria that choose an epoch from what is known of the epochs so far.

Each maps the validation series of a training to the place of the chosen epoch. In a tie, the earlier epoch is chosen.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Series = npt.NDArray[np.float64]
Known = Mapping[str, Series]
"""Per epoch: `metric` (larger is better), its standard `error`, `loss` (as in training), `log_loss`, `scaled` (log loss
after temperature scaling), `hot` (after a temperature of 1 or more), `relative` (`scaled` divided by the log loss of a
constant prediction)."""
DECAY = 0.5  # of the exponential moving average


def metric(known: Known) -> int:
    """The watched metric; ties: the lower loss."""
    return _best(known["metric"], -known["loss"])


def log_loss(known: Known) -> int:
    """Log loss of the probabilities as they are."""
    return _best(-known["log_loss"])


def scaled(known: Known) -> int:
    """Log loss after temperature scaling."""
    return _best(-known["scaled"])


def metric_ema(known: Known) -> int:
    """Exponential moving average of the watched metric over the epochs."""
    return _best(average(known["metric"]), -known["loss"])


def scaled_ema(known: Known) -> int:
    """Exponential moving average over the epochs of the log loss after temperature scaling."""
    return _best(-average(known["scaled"]))


def hot(known: Known) -> int:
    """Log loss after a temperature of 1 or more, which forgives overconfidence only."""
    return _best(-known["hot"])


def hot_ema(known: Known) -> int:
    """Exponential moving average over the epochs of the log loss after a temperature of 1 or more."""
    return _best(-average(known["hot"]))


def metric_scaled(known: Known) -> int:
    """The watched metric; ties: the lower log loss after temperature scaling."""
    return _best(known["metric"], -known["scaled"])


def within_error(known: Known) -> int:
    """The lowest log loss after temperature scaling among epochs within one standard error of the best metric."""
    best = int(np.argmax(known["metric"]))
    near = known["metric"] >= known["metric"][best] - known["error"][best]
    return _best(np.where(near, -known["scaled"], -np.inf))


def mean_rank(known: Known) -> int:
    """The best mean of two ranks: by the watched metric, and by the log loss after temperature scaling."""
    return _best(rankdata(known["metric"]) + rankdata(-known["scaled"]), -known["scaled"])


def summed(known: Known) -> int:
    """The watched metric minus the log loss after temperature scaling in units of that of a constant prediction."""
    return _best(known["metric"] - known["relative"])


def last(known: Known) -> int:
    """The last epoch, without any choice."""
    return len(known["metric"]) - 1


CRITERIA: dict[str, Callable[[Known], int]] = {
    "metric": metric, "log_loss": log_loss, "scaled": scaled, "metric_ema": metric_ema, "scaled_ema": scaled_ema,
    "hot": hot, "hot_ema": hot_ema,
    "metric_scaled": metric_scaled, "within_error": within_error, "mean_rank": mean_rank, "summed": summed,
    "last": last,
}  # fmt: skip


def average(values: Series) -> Series:
    """Exponential moving average without the bias of its start (Kingma and Ba 2015, arXiv:1412.6980)."""
    mean, weight, found = 0.0, 0.0, []
    for value in values:
        mean, weight = DECAY * mean + (1 - DECAY) * value, DECAY * weight + 1 - DECAY
        found.append(mean / weight)
    return np.array(found)


def choose(criterion: str, known: Known, patience: int | None = None, stop: str = "") -> tuple[int, int]:
    """Return the place of the chosen epoch, and the number of epochs after which training stops.

    Args:
        criterion: chooses the epoch.
        known: the validation series of all epochs.
        patience: number of epochs without a better choice after which training stops; None for all epochs.
        stop: the criterion that patience watches; by default, the one that chooses.
    """
    done = epochs_until(stop or criterion, known, patience)
    return CRITERIA[criterion]({name: values[:done] for name, values in known.items()}), done


def epochs_until(criterion: str, known: Known, patience: int | None) -> int:
    """Return the number of epochs after which patience ends."""
    epochs = len(known["metric"])
    for done in range(1, epochs + 1) if patience is not None and criterion != "last" else ():
        if done - (CRITERIA[criterion]({name: values[:done] for name, values in known.items()}) + 1) >= patience:
            return done
    return epochs


def _best(*keys: Series) -> int:
    """The place of the largest first key; ties by the next."""
    undefined = [np.where(np.isnan(key), -np.inf, key) for key in keys]
    return max(range(len(keys[0])), key=lambda place: (*(key[place] for key in undefined), -place))
