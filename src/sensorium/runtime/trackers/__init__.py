"""ONE FILE PER TRACKER: write the metrics of training in the format of a tracking tool, without any network."""

from sensorium.runtime.trackers._base import Tracker

__all__ = ["Tracker"]
