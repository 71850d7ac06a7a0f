"""Trackers write the metrics of training in the format of a tracking tool, offline. One file per tracker."""

from sensorium.runtime.trackers._base import Tracker

__all__ = ["Tracker"]
