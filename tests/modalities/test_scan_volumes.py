"""One volume out of DICOM files: slices of one orientation and one time, in the order in which they lie, each by its
own unit; what is skipped or guessed is reported. Values and distances are what the files were written with.
"""

import io

import numpy as np
import pytest

import sensorium
from sensorium.modalities import _dicom, _dicom_attributes
from sensorium.modalities._scans import quiet
from sensorium.modalities.scan import Scan
from sensorium.table import open_table

pydicom = pytest.importorskip("pydicom")

AXIAL, CORONAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]
LIMIT = 2**27


def dataset(pixels, **tags):
    """A data set of Explicit VR Little Endian; pixels [rows, columns] or [frames, rows, columns]."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    data.SeriesInstanceUID, data.Modality = "1.2.3", "MR"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW"
    for name, value in tags.items():
        setattr(data, name, value)
    return data


def group(**parts):
    """A functional group: keyword of a sequence → attributes of its item."""
    found = pydicom.Dataset()
    for name, values in parts.items():
        item = pydicom.Dataset()
        for keyword, value in values.items():
            setattr(item, keyword, value)
        setattr(found, name, pydicom.sequence.Sequence([item]))
    return found


def enhanced(values, groups=(), shared=None, **tags):
    """A file of several frames, each of one value, with functional groups."""
    data = dataset(np.stack([np.full((8, 8), value, np.uint16) for value in values]), **tags)
    if shared:
        data.SharedFunctionalGroupsSequence = pydicom.sequence.Sequence([group(**shared)])
    if groups:
        data.PerFrameFunctionalGroupsSequence = pydicom.sequence.Sequence([group(**one) for one in groups])
    return data


def saved(data, path):
    data.save_as(path, enforce_file_format=True)
    return path


def put(folder, slices, spacing=True):
    """Files named by their turn; a slice is (position, value, more attributes)."""
    folder.mkdir(exist_ok=True)
    for turn, (position, value, *more) in enumerate(slices):
        tags = {"InstanceNumber": turn + 1, "ImageOrientationPatient": AXIAL, "SliceThickness": 2}
        tags |= {"PixelSpacing": [1, 1]} if spacing else {}
        tags |= {} if position is None else {"ImagePositionPatient": position}
        tags |= more[0] if more else {}
        pixels = value if isinstance(value, np.ndarray) else np.full((8, 8), value, np.uint16)
        saved(dataset(pixels, **{name: kept for name, kept in tags.items() if kept is not None}), folder / f"{turn:03}")
    return folder


def read(path):
    """(value of each slice, mm between slices, the notes)."""
    with quiet():
        scan = _dicom.read_scan(path, LIMIT)
        assert _dicom.read_header(path).shape == scan.voxels.shape
    return scan.voxels[:, 4, 4].tolist(), round(scan.spacing[0], 5), [reason for reason, _ in scan.notes]


def up(z):
    return [0, 0, z]


STACK = [(up(3 * z), 100 + z) for z in range(4)]


# Orientations


def test_slices_of_another_orientation_are_left_out(tmp_path):
    other = [
        ([0, 7, 0], 900, {"ImageOrientationPatient": CORONAL}),
        ([0, 9, 0], 901, {"ImageOrientationPatient": CORONAL}),
    ]
    found = read(put(tmp_path / "s", [*other, *STACK]))
    assert found == ([100, 101, 102, 103], 3, ["2 slices of another orientation are skipped; 4 are used"])


def test_noise_of_rounding_is_no_other_orientation(tmp_path):
    tilted = np.array([0.8, 0.6, 0, 0, 0, -1])
    normal = np.cross(tilted[:3], tilted[3:])
    random = np.random.default_rng(0)
    slices = []
    for k in range(6):
        plane = (tilted + random.normal(0, 1e-4, 6)).round(5).tolist()
        slices.append(((2.5 * k * normal).round(4).tolist(), k, {"ImageOrientationPatient": plane}))
    found = read(put(tmp_path / "s", slices[::-1]))
    assert found == ([0, 1, 2, 3, 4, 5], 2.5, [])


@pytest.mark.parametrize("plane", [AXIAL, CORONAL, SAGITTAL])
def test_every_plane_is_ordered_along_its_normal(plane, tmp_path):
    normal = np.cross(plane[:3], plane[3:])
    slices = [((4 * k * normal).tolist(), k, {"ImageOrientationPatient": plane}) for k in (3, 0, 2, 1)]
    assert read(put(tmp_path / "s", slices)) == ([0, 1, 2, 3], 4, [])


def test_a_localizer_in_the_same_plane_is_another_series(tmp_path):
    other = (up(4), 900, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    values, distance, notes = read(put(tmp_path / "s", [other, *STACK]))
    assert (values, distance) == ([100, 101, 102, 103], 3)
    assert notes == ["the largest of several series in the folder is used; 1 image of others is skipped"]


@pytest.mark.parametrize(
    "odd",
    [
        {"SeriesInstanceUID": "1.2.9"},
        {"SeriesNumber": 7},
        {"Modality": "CT"},
        {"PhotometricInterpretation": "MONOCHROME1"},
    ],
)
def test_series_are_not_mixed(odd, tmp_path):
    values, distance, notes = read(put(tmp_path / "s", [*STACK, (up(12), 900, odd)]))
    assert (values, distance) == ([100, 101, 102, 103], 3) and "largest of several series" in notes[0]


@pytest.mark.parametrize(
    "odd", [(np.full((16, 8), 900, np.uint16), {}), (np.full((8, 8), 900, np.uint16), {"PixelSpacing": [2, 2]})]
)
def test_slices_of_another_size_are_left_out(odd, tmp_path):
    found = read(put(tmp_path / "s", [*STACK, (up(12), *odd)]))
    assert found == ([100, 101, 102, 103], 3, ["1 slice of another size or pixel spacing is skipped; 4 are used"])


def test_rounded_pixel_distances_are_the_same(tmp_path):
    slices = [(up(3 * z), z, {"PixelSpacing": [value] * 2}) for z, value in enumerate((0.48828125, 0.488281, 0.4883))]
    assert read(put(tmp_path / "s", slices)) == ([0, 1, 2], 3, [])


def test_markings_are_not_taken_for_the_images_they_were_made_from(tmp_path):
    put(tmp_path / "s", STACK)
    frames = [{"PlanePositionSequence": {"ImagePositionPatient": up(z)}} for z in range(9)]
    shared = {"PlaneOrientationSequence": {"ImageOrientationPatient": AXIAL}}
    saved(enhanced(range(9), frames, shared, Modality="SEG", SeriesInstanceUID="1.2.9"), tmp_path / "s" / "seg")
    assert read(tmp_path / "s")[0] == [100, 101, 102, 103]
    assert read(tmp_path / "s" / "seg")[0] == list(range(9))


# Times, echoes, copies


def volumes(times, tags=lambda t, z: {}, order=None):
    slices = [(up(3 * z), 100 * (t + 1) + z, tags(t, z)) for t in range(times) for z in range(4)]
    return [slices[k] for k in order] if order else slices


SHUFFLED = np.random.default_rng(3).permutation(12).tolist()


def test_the_first_of_several_volumes_is_used(tmp_path):
    found = read(put(tmp_path / "s", volumes(3)))
    assert found == ([100, 101, 102, 103], 3, ["the first of 3 volumes is used; the others are skipped"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "tags",
    [
        lambda t, z: {"TemporalPositionIdentifier": t + 1},
        lambda t, z: {"AcquisitionNumber": t + 1},
        lambda t, z: {"EchoTime": 2.46 + 10 * t},
        lambda t, z: {"EchoTime": (0.0, 1.0, 2.0)[t], "EchoNumbers": t + 1, "AcquisitionTime": f"1200{z:02}"},
        lambda t, z: {"DiffusionBValue": 500.0 * t},
        lambda t, z: {"TriggerTime": 40.0 * t},
        lambda t, z: {"TriggerTime": 40.0 * t + z},
        lambda t, z: {"FrameReferenceTime": 1000.0 * t},
        lambda t, z: {"AcquisitionTime": f"0930{20 * t + 3 * z:02}.120"},
        lambda t, z: {"AcquisitionDate": "20200101", "AcquisitionTime": f"0930{20 * t:02}", "ContentTime": "100000"},
        lambda t, z: {"InversionTime": 100 * (t + 1)},
        lambda t, z: {"FlipAngle": 5 * (t + 1), "AcquisitionNumber": 3 - t},
    ],
)
def test_volumes_are_told_by_what_varies_at_a_place(tags, tmp_path):
    found = read(put(tmp_path / "s", volumes(3, tags, SHUFFLED)))
    assert found == ([100, 101, 102, 103], 3, ["the first of 3 volumes is used; the others are skipped"])


def test_magnitude_and_phase_are_not_mixed(tmp_path):
    def tags(t, z):
        return {"ImageType": ["ORIGINAL", "PRIMARY", "MP"[t]], "EchoTime": 3}

    slices = volumes(2, tags)
    found = read(put(tmp_path / "s", [slices[k] for k in (0, 4, 5, 1, 6, 2, 3, 7)]))
    assert found == ([100, 101, 102, 103], 3, ["the first of 2 volumes is used; the others are skipped"])


def test_diffusion_takes_the_volume_without_weighting(tmp_path):
    def tags(t, z):
        return {"DiffusionBValue": 1000.0 if t else 0.0, "InstanceNumber": 50 - 4 * t - z}

    found = read(put(tmp_path / "s", volumes(4, tags)))
    assert found == ([100, 101, 102, 103], 3, ["the first of 4 volumes is used; the others are skipped"])


def test_an_incomplete_first_volume_gives_way_to_a_complete_one(tmp_path):
    slices = volumes(3, lambda t, z: {"TemporalPositionIdentifier": t + 1})
    found = read(put(tmp_path / "s", slices[:1] + slices[2:]))
    assert found == ([200, 201, 202, 203], 3, ["the most complete of 3 volumes is used; the others are skipped"])


def test_a_volume_that_was_broken_off_is_not_mixed_in(tmp_path):
    slices = volumes(2, lambda t, z: {"TemporalPositionIdentifier": t + 1, "InstanceNumber": 9 - 4 * t - z})
    values, distance, notes = read(put(tmp_path / "s", slices[:5]))
    assert (values, distance) == ([100, 101, 102, 103], 3) and "1 slice is present twice" in notes[0]


def test_times_drift_by_a_hair_without_becoming_slices(tmp_path):
    slices = [(up(3 * z + 1e-3 * t), 100 * (t + 1) + z) for t in range(3) for z in range(4)]
    found = read(put(tmp_path / "s", slices))
    assert found == ([100, 101, 102, 103], 3, ["the first of 3 volumes is used; the others are skipped"])


def test_a_film_of_one_slice_is_its_first_moment(tmp_path):
    found = read(put(tmp_path / "s", [(up(5), 100 + t, {"TriggerTime": 30 * t}) for t in (2, 0, 1)]))
    assert found == ([100], 2, ["the first of 3 volumes is used; the others are skipped"])


def test_times_are_told_apart_where_slices_have_no_position(tmp_path):
    slices = [(None, 100 * (t + 1) + z, {"TemporalPositionIdentifier": t + 1}) for z in range(4) for t in range(3)]
    values, distance, notes = read(put(tmp_path / "s", slices))
    assert (values, distance) == ([100, 101, 102, 103], 2)
    assert "12 of 12 slices have no position" in notes[0] and "first of 3 volumes" in notes[1]


def test_two_parts_of_a_plane_are_not_mixed(tmp_path):
    slices = [([90 * side, 0, 3 * z], 100 * (side + 1) + z) for z in range(4) for side in (z % 2, 1 - z % 2)]
    found = read(put(tmp_path / "s", slices))
    assert found == (
        [100, 101, 102, 103],
        3,
        ["4 slices of a place beside the others in their plane are skipped; 4 are used"],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((3, 0, 2, 1, 2, 4), "1 slice is present twice; only one of each is used"),
        ((0, 0, 1, 1, 2, 2, 3, 3), "4 slices are present twice; only one of each is used"),
        ((0, 1, 2, 3, 0, 1, 2, 3), "4 slices are present twice; only one of each is used"),
        ((0, 1, 1, 1, 2), "2 slices are present more than once; only one of each is used"),
    ],
)
@pytest.mark.parametrize("hair", [0, 1e-7])
def test_copies_are_used_once(places, told, hair, tmp_path):
    slices = [(up(3 * z + hair * turn), 100 + z) for turn, z in enumerate(places)]
    values, distance, notes = read(put(tmp_path / "s", slices))
    assert values == sorted({100 + z for z in places}) and (distance, notes) == (3, [told])


def test_two_halves_of_a_scan_that_overlap_stay_together(tmp_path):
    slices = [
        (up(3 * z), 100 + z, {"AcquisitionNumber": part}) for part, zs in ((1, range(4)), (2, range(3, 7))) for z in zs
    ]
    values, distance, notes = read(put(tmp_path / "s", slices))
    assert (values, distance) == (list(range(100, 107)), 3) and "1 slice is present twice" in notes[0]


# Places


def test_unequal_gaps_keep_the_usual_distance(tmp_path):
    values, distance, notes = read(put(tmp_path / "s", [(up(3 * z), z) for z in (0, 1, 3, 4, 6)]))
    assert (values, distance) == ([0, 1, 3, 4, 6], 3) and "slices are missing" in notes[0]


def test_slices_that_lie_close_are_not_one(tmp_path):
    slices = [(up(0.02 * z), z, {"PixelSpacing": [0.02, 0.02], "SliceThickness": 0.02}) for z in (2, 0, 1)]
    assert read(put(tmp_path / "s", slices)) == ([0, 1, 2], 0.02, [])


def test_where_a_position_is_missing_numbers_give_the_order(tmp_path):
    values, distance, notes = read(put(tmp_path / "s", [(up(0), 5), (None, 6), (up(6), 7), (up(9), 8)]))
    assert (values, distance) == ([5, 6, 7, 8], 3)
    assert notes == ["1 of 4 slices has no position; all are ordered by number"]


@pytest.mark.parametrize("numbers", [(None, None, None), (1, 1, 1)])
def test_without_position_and_number_the_order_is_a_guess(numbers, tmp_path):
    slices = [(None, k, {"InstanceNumber": number}) for k, number in enumerate(numbers)]
    values, _, notes = read(put(tmp_path / "s", slices))
    assert values == [0, 1, 2] and "ordered by file name" in notes[0]


def test_a_tilted_gantry_is_reported(tmp_path):
    values, distance, notes = read(put(tmp_path / "s", [([0, 2 * z, 5 * z], z) for z in range(4)]))
    assert (values, distance) == ([0, 1, 2, 3], 5) and "shifted against each other" in notes[0]


def test_a_single_slice_keeps_what_its_header_says(tmp_path):
    assert read(put(tmp_path / "s", [(up(9), 7, {"SpacingBetweenSlices": 4})])) == ([7], 4, [])


def test_attributes_are_those_of_the_volume_that_is_used(tmp_path):
    slices = volumes(2, lambda t, z: {"EchoTime": 20 - 10 * t})
    assert read(put(tmp_path / "s", slices))[0] == [200, 201, 202, 203]
    assert _dicom_attributes.read_attribute(tmp_path / "s", "EchoTime") == [10]


# Several frames in a file

POSITIONS = [{"PlanePositionSequence": {"ImagePositionPatient": up(z)}} for z in (6, 0, 9, 3)]
SHARED = {
    "PlaneOrientationSequence": {"ImageOrientationPatient": AXIAL},
    "PixelMeasuresSequence": {"SliceThickness": 1, "PixelSpacing": [0.5, 0.75]},
}


def test_frames_are_ordered_by_their_positions(tmp_path):
    path = saved(enhanced((30, 10, 40, 20), POSITIONS, SHARED), tmp_path / "a.dcm")
    assert read(path) == ([10, 20, 30, 40], 3, [])
    assert _dicom.read_scan(path, LIMIT).spacing == (3, 0.5, 0.75)
    assert read(io_of(path)) == ([10, 20, 30, 40], 3, [])


def io_of(path):
    return io.BytesIO(path.read_bytes())


def test_each_frame_has_its_own_scale(tmp_path):
    groups = [
        {"PixelValueTransformationSequence": {"RescaleSlope": s, "RescaleIntercept": s - 1}} for s in (1, 2, 4, 8)
    ]
    path = saved(enhanced([1000 // s for s in (1, 2, 4, 8)], groups), tmp_path / "a.dcm")
    assert read(path) == ([1000, 1001, 1003, 1007], 1, [])
    groups = [POSITIONS[k] | groups[k] for k in range(4)]
    path = saved(enhanced([1000 // s for s in (1, 2, 4, 8)], groups, SHARED), tmp_path / "b.dcm")
    assert read(path) == ([1001, 1007, 1000, 1003], 3, [])


def test_what_a_frame_says_goes_before_what_the_file_says(tmp_path):
    scale = {"PixelValueTransformationSequence": {"RescaleSlope": 2, "RescaleIntercept": 0}}
    assert read(saved(enhanced((1, 2), [{}, {}], scale, RescaleSlope=9), tmp_path / "a.dcm"))[0] == [2, 4]
    assert read(saved(enhanced((1, 2), RescaleSlope=9), tmp_path / "b.dcm"))[0] == [9, 18]
    assert read(saved(enhanced((1, 2), [scale, {}]), tmp_path / "c.dcm"))[2] == [
        "1 of 2 slices have no rescale slope; it is read as 1"
    ]


@pytest.mark.parametrize("content", ["TemporalPositionIndex", "FrameAcquisitionNumber", "StackID"])
def test_volumes_in_a_file_are_told_apart(content, tmp_path):
    groups, values = [], []
    for z in (1, 0, 2):
        for t in range(2):
            told = {content: str(t + 1) if content == "StackID" else t + 1}
            groups.append({"FrameContentSequence": told, "PlanePositionSequence": {"ImagePositionPatient": up(3 * z)}})
            values.append(100 * (t + 1) + z)
    values, distance, notes = read(saved(enhanced(values, groups, SHARED), tmp_path / "a.dcm"))
    assert (values, distance, len(notes)) == ([100, 101, 102], 3, 1) and "skipped" in notes[0]


def test_echoes_and_b_values_in_a_file_are_told_apart(tmp_path):
    for name, keyword in (("MREchoSequence", "EffectiveEchoTime"), ("MRDiffusionSequence", "DiffusionBValue")):
        groups = [
            {name: {keyword: 50.0 - 10 * t}, "PlanePositionSequence": {"ImagePositionPatient": up(3 * z)}}
            for t in range(2)
            for z in range(3)
        ]
        path = saved(enhanced((200, 201, 202, 100, 101, 102), groups, SHARED), tmp_path / name)
        assert read(path) == ([100, 101, 102], 3, ["the first of 2 volumes is used; the others are skipped"])


def test_orientations_in_a_file_are_not_mixed(tmp_path):
    odd = {"PlaneOrientationSequence": {"ImageOrientationPatient": CORONAL}}
    groups = [*POSITIONS, {"PlanePositionSequence": {"ImagePositionPatient": [0, 9, 0]}} | odd]
    found = read(saved(enhanced((30, 10, 40, 20, 900), groups, SHARED), tmp_path / "a.dcm"))
    assert found == ([10, 20, 30, 40], 3, ["1 slice of another orientation is skipped; 4 are used"])


def test_in_stack_numbers_give_the_order_where_positions_are_missing(tmp_path):
    groups = [
        {"FrameContentSequence": {"InStackPositionNumber": n, "TemporalPositionIndex": t}}
        for t in (1, 2)
        for n in (2, 1)
    ]
    found = read(saved(enhanced((101, 100, 201, 200), groups, SHARED), tmp_path / "a.dcm"))
    assert found == ([100, 101], 1, ["the first of 2 volumes is used; the others are skipped"])


def test_a_film_without_positions_stays_as_it_is_stored(tmp_path):
    path = saved(
        enhanced((3, 1, 2), Modality="US", ImagePositionPatient=up(4), ImageOrientationPatient=AXIAL), tmp_path / "a"
    )
    assert read(path) == ([3, 1, 2], 1, [])


def test_vectors_of_nuclear_medicine_tell_slices_and_times(tmp_path):
    tags = {"Modality": "NM", "SpacingBetweenSlices": -4, "SliceVector": [2, 1, 2, 1], "TimeSlotVector": [1, 1, 2, 2]}
    found = read(saved(enhanced((101, 100, 201, 200), **tags), tmp_path / "a"))
    assert found == ([100, 101], 4, ["the first of 2 volumes is used; the others are skipped"])


def test_a_dose_is_in_its_unit_and_its_frames_lie_at_their_offsets(tmp_path):
    tags = {"Modality": "RTDOSE", "DoseGridScaling": 0.5, "GridFrameOffsetVector": [0, -5, -10]}
    path = saved(
        enhanced((6, 4, 2), **tags, ImagePositionPatient=up(50), ImageOrientationPatient=AXIAL), tmp_path / "a"
    )
    assert read(path) == ([1, 2, 3], 5, [])


def test_a_divided_file_is_joined(tmp_path):
    (tmp_path / "s").mkdir()
    for part, name in ((0, "b"), (1, "a")):
        groups = [{"PlanePositionSequence": {"ImagePositionPatient": up(3 * z)}} for z in (2 * part, 2 * part + 1)]
        data = enhanced(
            (10 + 2 * part, 11 + 2 * part), groups, SHARED, InConcatenationNumber=part + 1, InstanceNumber=1
        )
        saved(data, tmp_path / "s" / name)
    assert read(tmp_path / "s") == ([10, 11, 12, 13], 3, [])


def test_more_frames_than_the_file_counts_are_reported(tmp_path):
    data = enhanced((1, 2, 3))
    data.NumberOfFrames = 2
    assert read(saved(data, tmp_path / "a")) == (
        [1, 2],
        1,
        ["the file declares 2 frames but contains 3; the others are skipped"],
    )


def test_a_count_of_frames_that_can_not_be_is_refused(tmp_path):
    data = enhanced((1, 2))
    data.NumberOfFrames = 2**31 - 1
    saved(data, tmp_path / "a.dcm")
    cells = open_table({"c": ["a.dcm"], "y": [0]}, folder=tmp_path).column("c")
    assert "over the limit" in Scan(16, 1, 0.0, np.zeros(0, np.float32), LIMIT).encode(cells).problems[0].reason


# Values


def padded(dtype, pad):
    pixels = np.linspace(100, 200, 64).reshape(8, 8).astype(dtype)
    pixels[:, :3] = pad
    return pixels


@pytest.mark.parametrize(
    ("dtype", "pad", "tags"),
    [
        (np.int16, -2000, {"PixelPaddingValue": -2000}),
        (np.int16, -2000, {"PixelPaddingValue": 63536, "wrong": True}),
        (np.uint16, 63536, {"PixelPaddingValue": 63536}),
        (np.uint16, 4095, {"PixelPaddingValue": 4095, "BitsStored": 12, "HighBit": 11}),
        (np.int16, -2000, {"PixelPaddingValue": -2000, "RescaleSlope": 3, "RescaleIntercept": -5}),
        (np.int16, -1500, {"PixelPaddingValue": -2000, "PixelPaddingRangeLimit": -1000}),
        (np.int16, -1500, {"PixelPaddingValue": -1000, "PixelPaddingRangeLimit": -2000}),
        (np.int16, -3024, {"Modality": "CT"}),
    ],
)
def test_padding_is_background(dtype, pad, tags, tmp_path):
    wrong = tags.pop("wrong", False) if "wrong" in tags else False
    data = dataset(padded(dtype, pad), **tags)
    for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if name in tags:
            kind = "US" if wrong or dtype == np.uint16 else "SS"
            data[name] = pydicom.DataElement(pydicom.datadict.tag_for_keyword(name), kind, tags[name])
    scan = _dicom.read_scan(saved(data, tmp_path / "a"), LIMIT)
    slope, intercept = tags.get("RescaleSlope", 1), tags.get("RescaleIntercept", 0)
    picture = padded(dtype, pad)[:, 3:] * float(slope) + intercept
    assert np.array_equal(scan.voxels[0, :, 3:], picture) and (scan.voxels[0, :, :3] == picture.min()).all()


def test_padding_of_a_turned_picture_is_dark_too(tmp_path):
    data = dataset(padded(np.uint16, 0), PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0)
    saved(data, tmp_path / "a.dcm")
    cells = open_table({"c": ["a.dcm"], "y": [0]}, folder=tmp_path).column("c")
    shown = Scan.learn(cells, size=8).encode(cells).values[0, 0]
    assert (shown[:, :3] == 0).all() and shown[:, 3:].max() == 1


def test_a_slice_of_padding_alone_is_background_and_a_scan_of_it_is_left_as_it_is(tmp_path):
    slices = [(up(3 * z), value, {"PixelPaddingValue": 0}) for z, value in enumerate((7, 0, 9))]
    assert read(put(tmp_path / "s", slices)) == ([7, 7, 9], 3, [])
    assert read(put(tmp_path / "t", [(up(0), 0, {"PixelPaddingValue": 0})]))[0] == [0]


def test_bits_beyond_those_stored_are_no_part_of_a_value(tmp_path):
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    for name, pixels, tags in (
        ("overlay", values | 0xF000, {"BitsStored": 12, "HighBit": 11}),
        ("left", values << 4 | 5, {"BitsStored": 12, "HighBit": 15}),
    ):
        scan = _dicom.read_scan(saved(dataset(pixels.astype(np.uint16), **tags), tmp_path / name), LIMIT)
        assert np.array_equal(scan.voxels[0], values)
    negative = values.astype(np.int16) - 2000
    data = dataset((negative & 0x0FFF).astype(np.int16), BitsStored=12, HighBit=11)
    assert np.array_equal(_dicom.read_scan(saved(data, tmp_path / "signed"), LIMIT).voxels[0], negative)


def test_slices_of_a_series_have_their_own_scale(tmp_path):
    slices = [(up(3 * z), 1200 // s, {"RescaleSlope": s, "RescaleIntercept": 0}) for z, s in enumerate((1, 2, 3))]
    assert read(put(tmp_path / "s", slices)) == ([1200, 1200, 1200], 3, [])


def test_a_slope_of_0_does_not_wipe_the_picture(tmp_path):
    found = read(put(tmp_path / "s", [(up(0), 7, {"RescaleSlope": 0, "RescaleIntercept": 0})]))
    assert found == ([7], 2, ["a rescale slope of 0 or infinity is read as 1"])


def test_a_single_frame_of_several_has_its_own_window(tmp_path):
    odd = {"PlaneOrientationSequence": {"ImageOrientationPatient": CORONAL}}
    at = {"PlanePositionSequence": {"ImagePositionPatient": up(0)}}
    groups = [{"FrameVOILUTSequence": {"WindowCenter": 10 * k, "WindowWidth": 4}} | at for k in (1, 2)]
    groups[1] |= {"FrameContentSequence": {"TemporalPositionIndex": 1}}
    groups[0] |= {"FrameContentSequence": {"TemporalPositionIndex": 2}}
    scan = _dicom.read_scan(saved(enhanced((5, 6), groups, odd), tmp_path / "a"), LIMIT)
    assert scan.window == (18, 22) and scan.voxels[0, 0, 0] == 6


def test_a_mosaic_is_reported(tmp_path):
    found = read(put(tmp_path / "s", [(up(0), 7, {"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]})]))
    assert found[2] == ["a mosaic of many slices is read as one image"]


# Folders


def test_what_lies_beside_the_images_is_reported(tmp_path):
    put(tmp_path / "s", STACK)
    for hidden in (".DS_Store", "._000", "DICOMDIR", "Thumbs.db"):
        (tmp_path / "s" / hidden).write_bytes(b"x")
    assert read(tmp_path / "s")[2] == []
    (tmp_path / "s" / "readme.txt").write_text("words")
    report = dataset(np.zeros((1, 1), np.uint8))
    del report.Rows, report.PixelData
    saved(report, tmp_path / "s" / "report")
    values, _, notes = read(tmp_path / "s")
    assert values == [100, 101, 102, 103]
    assert notes == ["2 items of the folder are skipped (links, folders, or files that are not DICOM images)"]


def test_a_folder_of_folders_says_where_to_look(tmp_path):
    put(tmp_path / "s", STACK)
    cells = open_table({"c": ["."], "y": [0]}, folder=tmp_path).column("c")
    problem = Scan(16, 1, 0.0, np.zeros(0, np.float32), LIMIT).encode(cells).problems[0]
    assert "contains no DICOM images" in problem.reason and "the folder that contains the files" in problem.cure


def test_a_column_of_series_is_known_whatever_else_lies_in_its_folders(tmp_path):
    put(tmp_path / "s", STACK)
    (tmp_path / "s" / "!first.txt").write_text("words")
    assert Scan.looks_like(open_table({"c": ["s"], "y": [0]}, folder=tmp_path).column("c"))


# What a person sees


@pytest.mark.slow
def test_notes_are_in_inspect_and_quote_nothing_of_the_files(tmp_path):
    secret = {"PatientName": "ZQXMARKZ", "SeriesDescription": "ZQXMARKZ", "StationName": "ZQXMARKZ"}
    lines = ["scan,y"]
    for row in range(8):
        slices = volumes(3) if row == 3 else STACK
        put(tmp_path / f"s{row}", [(place, value, secret) for place, value, *_ in slices])
        lines.append(f"s{row},{'ab'[row % 2]}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    found = sensorium.inspect(tmp_path / "table.csv", "y")
    said = str([vars(column) for column in found.columns])
    assert "first of 3 volumes" in said and "ZQXMARKZ" not in said


def test_volumes_among_single_images_are_reported_once(tmp_path):
    cells = []
    for row in range(5):
        put(tmp_path / f"s{row}", STACK if row == 2 else STACK[:1])
        cells.append(f"s{row}")
    column = open_table({"c": cells, "y": list(range(5))}, folder=tmp_path).column("c")
    found = Scan.learn(column).findings("c")
    assert [problem.reason for problem in found] == ["1 of 5 scans has several slices, but only the middle one is used"]
    assert "modalities.c.depth" in found[0].cure and found[0].row is None
    assert not Scan.learn(column, depth=1).findings("c") and not Scan.learn(column, depth=4).findings("c")
