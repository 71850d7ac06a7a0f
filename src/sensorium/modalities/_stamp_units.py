"""Units of time since 1970."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sensorium.table import words

Unit: TypeAlias = Literal["s", "ms", "us", "ns"]

NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
LIKELY = (631_152_000.0, 2_208_988_800.0)  # 1990 to 2040, in seconds since 1970
NEAR = (946_684_800.0, 1_893_456_000.0)  # 2000 to 2030: if the column's name does not suggest time
POSSIBLE = (-2_208_988_800.0, 7_258_118_400.0)  # 1900 to 2200: outside, the unit must be another one
SMALLEST = 180_001  # January 1800 as digits: smaller numbers are not dates
DAY = 86_400.0
SPANS = words("elapsed duration runtime latency delay interval wait waiting response cpu total travel lead processing")
NAMED_UNITS = ("timestamp", "datetime", "unixtime", "epochtime", "date", "time")  # in names such as "eventtimestamp"
