"""Find the control groups (cgroups) of this process, which limit what a container may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PROCESS = Path("/proc/self")


def group_folders(controller: str) -> Iterator[Path]:
    """Yield the folders of a controller's groups, from the group of this process up to the outermost one.

    Limits are nested: the smallest one on the way up applies. Yields nothing on platforms without control groups.

    Args:
        controller: name of the controller, such as `cpu` or `memory`.
    """
    try:
        mounts = (PROCESS / "mountinfo").read_text().splitlines()
        groups = dict(_parse_group(line) for line in (PROCESS / "cgroup").read_text().splitlines())
    except (OSError, ValueError):
        return
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        kind, _, options = [*rest.split(" "), "", ""][:3]
        names = ("",) if kind == "cgroup2" else (controller,) if controller in options.split(",") else ()
        if kind in ("cgroup", "cgroup2") and names:
            root, mount = fields.split()[3:5]
            path = next((path for name, path in groups.items() if names[0] in name.split(",")), "/")
            yield from _upwards(Path(mount.replace("\\040", " ")), root, path)


def _parse_group(line: str) -> tuple[str, str]:
    """Return the controllers and the path of a group; version 2 has one group, without names of controllers."""
    _, controllers, path = line.split(":", 2)
    return controllers, path


def _upwards(mount: Path, root: str, path: str) -> Iterator[Path]:
    """Yield the folder of a group and its parents, up to the mount point, which shows the group `root`."""
    try:
        below = PurePosixPath(path).relative_to(root)
    except ValueError:  # the group is outside of what the container sees
        below = PurePosixPath()
    if ".." in below.parts:
        below = PurePosixPath()
    yield from (mount / part for part in (below, *below.parents))
