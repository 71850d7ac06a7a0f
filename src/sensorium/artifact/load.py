"""Load a fitted model from files; damaged and modified files are rejected."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sensorium.artifact._build import Saved, Target, build_fitted
from sensorium.artifact._files import read_model
from sensorium.artifact._migrate import upgrade
from sensorium.artifact.format import MODEL, from_json
from sensorium.config import given_names, with_given
from sensorium.errors import ArtifactError, ConfigError, SensoriumError
from sensorium.files.pretrained_sources import closed
from sensorium.model import NO_MODULES, OWN_FUSION, FittedModel, OwnModules


def load_fitted(
    path: Path,
    device: str = "auto",
    modules: OwnModules = NO_MODULES,
    given: Mapping[str, Any] | None = None,
) -> FittedModel:
    """Read a model folder, a run folder with a `model` in it, or a zip.

    Args:
        path: where it is.
        device: device of the network.
        modules: the user's own modules, for parts that were fitted with such modules.
        given: settings that are not saved with a model: what may be read, downloaded and run (see `caller_only`).

    Raises:
        ConfigError: a given setting is not one of these.
        ArtifactError: the model is missing, incomplete, modified or of another format, or contains other files.
    """
    place, version, files = read_model(path)
    model = upgrade(from_json(files[MODEL], f"{place}/{MODEL}"), version)
    try:
        with closed():
            fitted = build_fitted(Saved(model, files, version), Target(str(place), device, modules))
    except ConfigError as error:
        if error.place == "device" or _has_own_modules(model):
            raise
        raise _incompatible(error, place) from None
    except SensoriumError:
        raise
    # The files are those that were saved, yet don't fit this code: say so instead of showing its insides.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:300]
        raise _incompatible(reason, place) from error
    fitted.config = with_given(fitted.config, given or {})
    fitted.unset = [name for name in fitted.unset if name not in given_names(given or {})]
    return fitted


def check_saved(path: Path) -> None:
    """Check that the files of a model are those that were saved, without building the model.

    Raises:
        ArtifactError: missing, incomplete, truncated, altered, of another format, or with other files in it.
    """
    read_model(path)


def _incompatible(reason: object, place: object) -> ArtifactError:
    return ArtifactError(f"the model is not compatible with this version of Sensorium: {reason}", place=str(place))


def _has_own_modules(model: Mapping[str, Any]) -> bool:
    networks = [member["network"] for member in model["members"] if member["kind"] == "network"]
    own_fusion = any(str(network["fusion"]).startswith(OWN_FUSION) for network in networks)
    return own_fusion or any(tower["encoder"] == "module" for network in networks for tower in network["towers"])
