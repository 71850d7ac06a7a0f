"""Settings: one tree of pydantic models, the same for YAML, command line and Python.

`Config.gather` merges the layers (defaults < YAML file < flags or keywords < `--set key=value`), validates the
result and reports all errors at once.
"""

from sensorium.config._arguments import (
    CONFIG,
    COUNT,
    COUNT_OR_SEEDS,
    ENCODERS,
    FLAG,
    NAME,
    NAMES,
    OPTIONAL_NAME,
    OPTIONAL_PATH,
    PATH,
    SEED,
    SETTINGS,
    TARGET,
    TIME,
    as_plain,
    check_arguments,
    is_path,
)
from sensorium.config._assignments import parse_assignments
from sensorium.config._caller import caller_only, every_setting, given_names, split_saved, with_given
from sensorium.config._config import CALIBRATION_FOLDS, CALIBRATION_ROWS, MAX_THREADS, Config, merge_layers
from sensorium.config._describe import Setting, list_options, list_settings, options_schema
from sensorium.config._dotted import of_columns
from sensorium.config._keywords import read_settings, target_setting
from sensorium.config._layers import nest, overlay, read_yaml
from sensorium.config._misplaced import joined_option, modality_option, setting_flag
from sensorium.config._options import check_heads, check_options
from sensorium.config._prepare import PrepareConfig
from sensorium.config._preset import preset_changes, with_preset
from sensorium.config._renamed import current_member, current_options, current_setting, current_settings
from sensorium.config._spelling import (
    as_given,
    as_modality,
    as_yaml,
    dump_yaml,
    exclude_column,
    key_of,
    set_both,
    set_missing,
    set_option,
    set_value,
    setting_of,
)
from sensorium.config._split import SplitConfig
from sensorium.config._table import WINDOW_SINCE, WINDOW_SPAN, RemoteConfig, TableConfig, WindowsConfig
from sensorium.config._train import IMBALANCE_TECHNIQUE, PretrainConfig, SelectBy, TrainConfig, UnfreezeConfig
from sensorium.config._types import (
    Choice,
    Decibels,
    Depth,
    Fraction,
    Many,
    Odd,
    Probability,
    Share,
    Side,
    Sizes,
    Words,
    spelt_words,
)

__all__ = [
    "CALIBRATION_FOLDS",
    "CALIBRATION_ROWS",
    "CONFIG",
    "COUNT",
    "COUNT_OR_SEEDS",
    "ENCODERS",
    "FLAG",
    "IMBALANCE_TECHNIQUE",
    "MAX_THREADS",
    "NAME",
    "NAMES",
    "OPTIONAL_NAME",
    "OPTIONAL_PATH",
    "PATH",
    "SEED",
    "SETTINGS",
    "TARGET",
    "TIME",
    "WINDOW_SINCE",
    "WINDOW_SPAN",
    "Choice",
    "Config",
    "Decibels",
    "Depth",
    "Fraction",
    "Many",
    "Odd",
    "PrepareConfig",
    "PretrainConfig",
    "Probability",
    "RemoteConfig",
    "SelectBy",
    "Setting",
    "Share",
    "Side",
    "Sizes",
    "SplitConfig",
    "TableConfig",
    "TrainConfig",
    "UnfreezeConfig",
    "WindowsConfig",
    "Words",
    "as_given",
    "as_modality",
    "as_plain",
    "as_yaml",
    "caller_only",
    "check_arguments",
    "check_heads",
    "check_options",
    "current_member",
    "current_options",
    "current_setting",
    "current_settings",
    "dump_yaml",
    "every_setting",
    "exclude_column",
    "given_names",
    "is_path",
    "joined_option",
    "key_of",
    "list_options",
    "list_settings",
    "merge_layers",
    "modality_option",
    "nest",
    "of_columns",
    "options_schema",
    "overlay",
    "parse_assignments",
    "preset_changes",
    "read_settings",
    "read_yaml",
    "set_both",
    "set_missing",
    "set_option",
    "set_value",
    "setting_flag",
    "setting_of",
    "spelt_words",
    "split_saved",
    "target_setting",
    "with_given",
    "with_preset",
]
