"""Attributes of DICOM files, requested by keyword; no other value leaves this file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sensorium.errors import SchemaError, did_you_mean
from sensorium.findings import Nothing, Unreadable
from sensorium.modalities._dicom import read_volume
from sensorium.modalities._dicom_frames import file_as_frame
from sensorium.modalities._dicom_open import open_dicom
from sensorium.modalities._files import Source
from sensorium.modalities._scans import library

YEARS = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}  # units of age per year


def representation(keyword: str) -> str:
    """Return the value representation (VR) of an attribute: two letters (PS3.5, section 6.2).

    Raises:
        SchemaError: DICOM has no attribute with this keyword.
    """
    words = library("pydicom.datadict")
    tag = words.tag_for_keyword(keyword)
    if tag is None:
        cure = did_you_mean(keyword, words.keyword_dict) if keyword else ""
        raise SchemaError(f"DICOM has no attribute {keyword!r}", rule="use a keyword such as KVP", cure=cure)
    return str(words.dictionary_VR(tag))[:2]


def read_attribute(source: Source, keyword: str) -> list[str | float]:
    """Read the values of an attribute, from a folder's first slice; ages are in years.

    Raises:
        Nothing: the attribute is absent or empty.
        Unreadable: the file is damaged or not a DICOM file.
    """
    if isinstance(source, Path) and source.is_dir():
        frame = min(read_volume(source)[0].frames, key=lambda frame: (frame.file, frame.number))
    else:
        frame = file_as_frame(open_dicom(source, pixels=False))
    value = frame.get(keyword)
    several = value if isinstance(value, library("pydicom.multival").MultiValue) else [value]
    found = [_plain(part, representation(keyword)) for part in several if part is not None and str(part).strip()]
    if not found:
        raise Nothing("the DICOM file lacks this attribute")
    return found


def _plain(value: Any, kind: str) -> str | float:
    if kind == "AS":
        age = re.fullmatch(r"(\d{1,4})([DWMY])", str(value).strip())
        if not age:
            raise Unreadable("the age is not written like 045Y")
        return int(age[1]) / YEARS[age[2]]
    return float(value) if isinstance(value, int | float) else str(value).strip()
