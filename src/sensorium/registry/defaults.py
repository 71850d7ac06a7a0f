"""Names of the members that a network has by default."""

DEFAULT_FUSION = "concat"
DEFAULT_HEAD = "linear"
