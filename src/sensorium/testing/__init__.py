"""Check the contracts of your own modality, encoder, fusion, technique, task or metric.

    from sensorium.testing import check_fusion
    def test_median():
        check_fusion("median")

Each check takes a registered name and raises an AssertionError if the member breaks its contract. `check_export` takes
seconds per member: it exports a network and compares it at other sizes.
"""

from sensorium.testing.adaptations import check_adaptation
from sensorium.testing.augmentations import check_augmentation
from sensorium.testing.encoders import check_encoder
from sensorium.testing.export import check_export
from sensorium.testing.fusions import check_fusion
from sensorium.testing.heads import check_head
from sensorium.testing.metrics import check_metric
from sensorium.testing.modalities import check_modality
from sensorium.testing.pretrained import make_pretrained
from sensorium.testing.tables import make_column, make_table
from sensorium.testing.tasks import check_task
from sensorium.testing.techniques import check_technique
from sensorium.testing.truths import make_truth

__all__ = [
    "check_adaptation",
    "check_augmentation",
    "check_encoder",
    "check_export",
    "check_fusion",
    "check_head",
    "check_metric",
    "check_modality",
    "check_task",
    "check_technique",
    "make_column",
    "make_pretrained",
    "make_table",
    "make_truth",
]
