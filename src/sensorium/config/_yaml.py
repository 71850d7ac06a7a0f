"""Read YAML with PyYAML's safe loader, but two equal keys of a mapping are an error: it would keep the last."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.constructor import ConstructorError

# The keys `<<`, of which a mapping may have several and whose entries may be overridden, and `=`.
SPECIAL = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")


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
    """Safe loader that refuses a mapping with two equal keys, also if they are written differently: `1` and `0x1`."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Here, before merged mappings are copied into others, a mapping has only the keys that are written in it.
        node = super().compose_mapping_node(anchor)
        seen = set[Any]()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag not in SPECIAL:
                value = self.construct_object(key)
                if value in seen:
                    raise ConstructorError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
                seen.add(value)
        return node
