"""Replace old names in a saved model (settings, members, options), so that it keeps loading."""

from __future__ import annotations

from sensorium.artifact._content import SavedMember, SavedModel, SavedNetwork, SavedNetworkMember, SavedTower
from sensorium.config import current_member, current_options, current_setting, current_settings
from sensorium.registry import baselines, encoders, fusions, heads


def with_current_names(model: SavedModel) -> SavedModel:
    """Return the model with the current names of its settings, members and options."""
    members = [_member(member) for member in model.members]
    kinds = {column.name: column.modality for column in model.columns}
    networks = [member.network for member in members if isinstance(member, SavedNetworkMember)][:1]
    parts = [tower for network in networks for tower in network.towers]
    towers = {name: tower.encoder for tower in parts for name in (*tower.columns, tower.name)}
    changed = {
        "members": members,
        "config": current_settings(model.config, kinds, towers),
        "caller_settings": [current_setting(name) for name in model.caller_settings],
    }
    return model.model_copy(update=changed)


def _member(member: SavedMember) -> SavedMember:
    if isinstance(member, SavedNetworkMember):
        return member.model_copy(update={"network": _network(member.network)})
    return member.model_copy(update={"name": current_member(baselines, member.name)})


def _network(network: SavedNetwork) -> SavedNetwork:
    fusion, head = current_member(fusions, network.fusion), current_member(heads, network.head)
    changed = {
        "towers": [_tower(tower) for tower in network.towers],
        "fusion": fusion,
        "fusion_options": current_options(fusions, fusion, network.fusion_options),
        "head": head,
        "head_options": current_options(heads, head, network.head_options),
    }
    return network.model_copy(update=changed)


def _tower(tower: SavedTower) -> SavedTower:
    encoder = current_member(encoders, tower.encoder)
    return tower.model_copy(update={"encoder": encoder, "options": current_options(encoders, encoder, tower.options)})
