"""What differs between two runs, in words."""

import pytest

from sensorium.files.identity import differences

pytestmark = pytest.mark.unit

TECHNIQUES = "train.techniques"


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({TECHNIQUES: {}}, {f"{TECHNIQUES}.auxiliary": {}}, [f"{TECHNIQUES}.auxiliary was not set, is {{}}"]),
        ({f"{TECHNIQUES}.auxiliary": {}}, {TECHNIQUES: {}}, [f"{TECHNIQUES}.auxiliary was {{}}, is not set"]),
        ({"modalities": {}}, {"modalities.x.name": "text"}, ["modalities.x.name was not set, is text"]),
        ({"modalities.x": {}}, {"modalities.x": {}}, []),
    ],
)
def test_a_member_without_options_is_a_difference(then, now, told):
    assert differences(then, now) == told
