"""Renamed settings, options, members, flags and kinds.

An old name raises an error with the new one, and is replaced in saved models, which keep loading. Both apply only if
the old name has no other meaning: a member of another package may have an option of that name. An entry stays for one
release.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

SETTING, OPTION, FLAG, KIND = "setting", "option", "flag", "kind"


@dataclass(frozen=True)
class Rename:
    """Renamed name.

    Attributes:
        kind: `setting`, `option` (of a registered member), `flag` (of a command), `kind` (of `sensorium list`), or the
            kind of a registered member, such as `fusion`.
        old: the old name; for a setting the full name, such as `train.balance`.
        new: the new name.
        owner: the member or command of an option or a flag, such as `augmentation flip` or `fit`; `*` matches any text.
        since: the first version with the new name.
    """

    kind: str
    old: str
    new: str
    owner: str = "*"
    since: str = "0.1"

    @property
    def rule(self) -> str:
        """Rule of the error about the old name."""
        return f"Sensorium {self.since} and later use the new name"


def _options(owner: str, **names: str) -> Iterable[Rename]:
    return (Rename(OPTION, old, new, owner) for old, new in names.items())


RENAMES = (
    Rename(SETTING, "train.preset", "train.few_labels"),
    Rename(SETTING, "train.balance", "train.imbalance"),
    Rename(SETTING, "train.unfreeze.rate", "train.unfreeze.learning_rate_scale"),
    Rename(SETTING, "prepare.gigabytes", "prepare.max_gigabytes"),
    Rename(SETTING, "table.query_seconds", "table.query_timeout"),
    Rename(SETTING, "table.remote.gigabytes", "table.remote.max_gigabytes"),
    Rename(SETTING, "table.remote.seconds", "table.remote.timeout"),
    Rename(FLAG, "--doctor", "--check-imbalance", "fit"),
    Rename(KIND, "table sources", "sources"),
    Rename("technique", "doctor", "modality_imbalance"),
    Rename("fusion", "dynamic", "dynamic_routing"),
    Rename("fusion", "mixture", "mixture_of_experts"),
    *_options("modality audio", rate="sample_rate"),
    *_options("modality category", max_levels="max_categories"),
    *_options("modality document", pages="max_pages"),
    *_options("modality image", ground="background"),
    *_options("modality images", ground="background", most="max_images"),
    *_options("modality pages", most="max_pages"),
    *_options("modality sounds", rate="sample_rate", most="max_sounds"),
    *_options("modality video", rate="fps"),
    *_options("augmentation *", chance="probability"),
    *_options("augmentation crop", smallest="min_scale"),
    *_options("augmentation erase", area="max_area"),
    *_options("augmentation jitter", deviation="std"),
    *_options("augmentation noise", deviation="std"),
    *_options("augmentation scaling", deviation="std"),
    *_options("augmentation shift", share="max_shift"),
    *_options("augmentation time_shift", share="max_shift"),
    *_options("augmentation token_dropout", share="dropout"),
    *_options("augmentation white_noise", ratio="min_snr"),
    *_options("encoder pretrained_*", rate="learning_rate_scale", decay="layer_decay"),
    *_options("encoder efficientnet_lite", rate="learning_rate_scale", decay="layer_decay"),
    *_options("encoder voice_ge2e", rate="learning_rate_scale", decay="layer_decay"),
    *_options("encoder image_cnn", shrink="downsample"),
    *_options("technique fixmatch", hide="modality_dropout"),
    *_options("technique mean_teacher", hide="modality_dropout"),
    *_options("technique gradient_blending", least="min_weight"),
    *_options("technique label_smoothing", share="smoothing"),
    *_options("technique masked", stop="stop_gradient"),
    *_options("adaptation tent", rate="learning_rate"),
)


def find_rename(kind: str, name: str, owner: str = "") -> Rename | None:
    """Return the entry of an old name, or None.

    Args:
        kind, name: as in `Rename`.
        owner: whose option or flag it is.
    """
    return next((r for r in RENAMES if (r.kind, r.old) == (kind, name) and fnmatchcase(owner, r.owner)), None)


def renamed_settings() -> list[Rename]:
    """Return all renamed settings."""
    return [rename for rename in RENAMES if rename.kind == SETTING]
