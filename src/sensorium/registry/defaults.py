"""Names of the members that a fit has by default."""

DEFAULT_FUSION = "concat"
DEFAULT_HEAD = "linear"
AUTO_PRESET = "auto"  # no preset: it stands for the default one, or for the simplest one if that cannot be used
DEFAULT_PRESET = "good"
SIMPLEST_PRESET = "fast"  # one network; it supports every setting
