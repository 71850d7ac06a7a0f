"""Read YAML as settings need it: as PyYAML's safe loader, which keeps the last of two equal keys without a word."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml
from yaml.constructor import ConstructorError

MERGE = "tag:yaml.org,2002:merge"  # the key `<<`, whose entries may be overridden


def load_yaml(text: str) -> Any:
    """Read YAML; nothing in it is executed.

    Raises:
        yaml.YAMLError: the text is not valid YAML, a mapping has a key twice, or lists are nested too deeply.
        ValueError: a date does not exist, such as 2026-02-31.
    """
    try:
        return yaml.load(text, UniqueKeys)
    except RecursionError:
        raise yaml.YAMLError("lists or mappings are nested too deeply") from None


class UniqueKeys(yaml.SafeLoader):
    """Safe loader that refuses a mapping with two equal keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set[tuple[str, str]]()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
                continue
            if (key.tag, key.value) in seen:
                raise ConstructorError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
            seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)
