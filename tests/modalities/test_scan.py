"""Medical images: values, order and orientation as the files mean them; whatever is damaged is missing with a reason;
nothing that a file says of its patient is kept or shown.
"""

import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import sensorium
from sensorium.cli import _main
from sensorium.errors import MissingExtraError
from sensorium.findings import Problems
from sensorium.modalities import _dicom_open, _nifti
from sensorium.modalities.scan import Scan
from sensorium.table import open_table

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")

PERSONAL = (
    "PatientName", "PatientID", "InstitutionName", "ReferringPhysicianName", "AccessionNumber", "StudyID",
    "PatientAddress", "OperatorsName", "StationName", "SeriesDescription", "PatientComments", "StudyDescription",
)  # fmt: skip
MARK = "ZQXMARKZ"
UID = "1.2.826.0.1.98765432123456789"


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def encode(cells, folder=None, **options):
    learnt = Scan.learn(column(cells, folder), **options)
    return learnt.encode(column(cells, folder))


def dicom(pixels, uid=UID, **tags):
    """A DICOM file's bytes; pixels [rows, columns], [frames, rows, columns] or [rows, columns, 3]."""
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"{uid}.1"
    data.SeriesInstanceUID, data.StudyInstanceUID = f"{uid}.2", f"{uid}.3"
    data.Modality = "MR"
    if pixels is not None:
        colour = pixels.shape[-1] == 3
        data.Rows, data.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
        data.SamplesPerPixel, data.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
        data.PlanarConfiguration = 0
        data.NumberOfFrames = len(pixels) if pixels.ndim == 3 and not colour else 1
        data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
        data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
        data.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def ramp(dtype=np.uint16, top=1600):
    return np.linspace(0, top, 256).reshape(16, 16).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16])
def test_every_depth_is_spread_over_0_to_1(dtype):
    found = encode([dicom(ramp(dtype, 200)), None])
    assert found.values.shape == (2, 1, 16, 16) and found.values.dtype == np.float16
    assert found.present.tolist() == [True, False] and not found.problems
    assert found.values[0].min() == 0 and found.values[0].max() == 1
    assert (np.diff(found.values[0].ravel()) >= 0).all()


def test_a_window_cuts_rescaled_values():
    tags = {"RescaleSlope": 2, "RescaleIntercept": -1000}
    values = encode([dicom(ramp(), **tags)], window=(50, 400)).values[0, 0]
    units = ramp().astype(float) * 2 - 1000
    assert np.allclose(values, np.clip((units + 150) / 400, 0, 1), atol=1e-3)
    assert np.array_equal(values, encode([dicom(ramp(), **tags)], window="soft_tissue").values[0, 0])
    own = encode([dicom(ramp(), **tags, WindowCenter=[50, 9], WindowWidth=[400, 9])]).values[0, 0]
    assert np.array_equal(values, own)


def test_monochrome1_is_turned_and_colours_are_grey():
    plain = encode([dicom(ramp())]).values
    turned = encode([dicom(ramp(), PhotometricInterpretation="MONOCHROME1")]).values
    assert np.allclose(plain + turned, 1, atol=1e-3)
    colours = np.repeat(ramp(np.uint8, 200)[..., None], 3, 2)
    assert np.allclose(encode([dicom(colours)]).values, encode([dicom(ramp(np.uint8, 200))]).values, atol=1e-2)


def write_series(folder, names, without=(), **tags):
    """Slice k is brighter than slice k − 1 and lies 3 mm above it."""
    folder.mkdir()
    for place, name in enumerate(names):
        if place in without:
            continue
        position = {"ImagePositionPatient": [0, 0, 3 * place], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        pixels = np.full((16, 16), 100 * place, np.uint16)
        (folder / name).write_bytes(dicom(pixels, InstanceNumber=-place, PixelSpacing=[1, 1], **position, **tags))


def test_a_series_is_sorted_by_position_whatever_its_files_are_called(tmp_path):
    write_series(tmp_path / "s", ["d", "a", "e.dcm", "c", "b"])
    cells = column(["s"], tmp_path)
    assert Scan.looks_like(cells)
    found = encode(["s"], tmp_path, depth=5, size=16)
    assert (np.diff(found.values[0, :, 8, 8].astype(float)) > 0).all() and not found.problems
    whole = np.stack([np.full((16, 16), 100 * k, np.uint16) for k in range(5)])
    assert np.array_equal(found.values, encode([dicom(whole)], depth=5, size=16).values)


def test_without_positions_slices_are_ordered_by_number(tmp_path):
    (tmp_path / "s").mkdir()
    for place, name in enumerate("cab"):
        pixels = np.full((16, 16), 100 * place, np.uint16)
        (tmp_path / "s" / name).write_bytes(dicom(pixels, InstanceNumber=place + 1))
    found = encode(["s"], tmp_path, depth=3, size=16)
    assert (np.diff(found.values[0, :, 8, 8].astype(float)) > 0).all()


@pytest.mark.parametrize(("without", "told"), [((), 0), ((2,), 1), ((2, 5), 1), ((0, 6), 0)])
def test_slices_that_are_missing_between_others_are_told(without, told, tmp_path):
    write_series(tmp_path / "s", "abcdefg", without)
    found = encode(["s"], tmp_path, depth=5, size=16)
    assert found.present.all()
    assert ["slices are missing" in problem.reason for problem in found.problems] == [True] * told
    assert all("look for the missing slices" in problem.cure for problem in found.problems)


def deflated(content):
    """The same file with what follows its meta information deflated, as the transfer syntax of that name has it."""
    end = 144 + int.from_bytes(content[140:144], "little")
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
    data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    head = stream.getvalue()
    return head[: 144 + int.from_bytes(head[140:144], "little")] + packer.compress(content[end:]) + packer.flush()


def test_a_deflated_file_is_read_as_the_plain_one(tmp_path):
    plain = dicom(ramp())
    found = encode([plain, deflated(plain)])
    assert found.present.all() and not found.problems
    assert np.array_equal(found.values[0], found.values[1])
    (tmp_path / "s").mkdir()
    for place in range(3):
        position = {"ImagePositionPatient": [0, 0, 3 * place], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        content = dicom(np.full((16, 16), 100 * place, np.uint16), **position)
        (tmp_path / "s" / f"{-place}").write_bytes(deflated(content))
    series = encode(["s"], tmp_path, depth=3, size=16).values[0, :, 8, 8]
    assert (np.diff(series.astype(float)) > 0).all()


def test_a_deflated_file_whose_meta_information_is_in_the_other_form_is_bounded_too(monkeypatch):
    whole = deflated(dicom(ramp()))
    end = 144 + int.from_bytes(whole[140:144], "little")
    name = pydicom.uid.DeflatedExplicitVRLittleEndian.encode()
    implicit = whole[:132] + b"\x02\0\x10\0" + len(name).to_bytes(4, "little") + name + whole[end:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pydicom.dcmread(io.BytesIO(implicit)).Rows == 16, "the library inflates it"
    found = encode([whole, implicit])
    assert found.present.all() and np.array_equal(found.values[0], found.values[1])
    monkeypatch.setattr(_dicom_open, "INFLATED", 2**8)
    assert "more than 256 bytes" in encode([implicit]).problems[0].reason


def test_a_deflated_file_that_is_cut_or_would_fill_the_memory_is_refused(monkeypatch):
    whole = deflated(dicom(np.random.default_rng(0).integers(0, 999, (64, 64)).astype(np.uint16)))
    bomb = deflated(dicom(np.zeros((512, 512), np.uint16)))
    assert len(bomb) < 4000
    monkeypatch.setattr(_dicom_open, "INFLATED", 2**16)
    found = encode([whole, whole[:-500], bomb])
    assert found.present.tolist() == [True, False, False]
    assert [p.reason for p in found.problems] == [
        "the scan is damaged or truncated: read as missing",
        "the deflated DICOM file expands to more than 65,536 bytes: read as missing",
    ]


def test_of_several_series_in_a_folder_the_largest_is_taken_and_that_is_told(tmp_path):
    write_series(tmp_path / "s", ["a", "b", "c"])
    (tmp_path / "s" / "other").write_bytes(dicom(ramp(), uid=f"{UID}.9"))
    found = encode(["s"], tmp_path, depth=3, size=16)
    assert found.present.all()
    assert ["largest of several" in problem.reason for problem in found.problems] == [True]
    (tmp_path / "s" / "other").unlink()
    assert np.array_equal(found.values, encode(["s"], tmp_path, depth=3, size=16).values)


def test_links_of_a_folder_are_not_followed_and_none_leads_outside(tmp_path):
    write_series(tmp_path / "outside", ["a", "b"])
    (tmp_path / "in" / "s").mkdir(parents=True)
    (tmp_path / "in" / "s" / "a").symlink_to(tmp_path / "outside" / "a")
    found = encode(["s", "../outside"], tmp_path / "in")
    assert not found.present.any()
    assert ["contains no DICOM images" in found.problems[0].reason, "outside" in found.problems[1].reason] == [True] * 2


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_flipped_volume_is_read_as_the_upright_one(axes, tmp_path):
    voxels = np.random.default_rng(0).normal(size=(10, 12, 8)).astype(np.float32)
    affine = np.eye(4)
    for axis in axes:
        affine[axis, axis], affine[axis, 3] = -1, voxels.shape[axis] - 1
    nibabel.Nifti1Image(voxels, np.eye(4)).to_filename(tmp_path / "a.nii")
    nibabel.Nifti1Image(np.flip(voxels, axes), affine).to_filename(tmp_path / "b.nii.gz")
    nibabel.Nifti2Image(voxels.transpose(2, 0, 1), np.eye(4)[:, [2, 0, 1, 3]]).to_filename(tmp_path / "c.nii")
    values = encode(["a.nii", "b.nii.gz", "c.nii"], tmp_path, depth=8, size=12).values
    assert np.array_equal(values[0], values[1]) and np.array_equal(values[0], values[2])


def test_spacing_gives_a_structure_its_true_size(tmp_path):
    """A bar of 8 mm, scanned at 1 mm and at 2 mm."""
    for step in (1, 2):
        voxels = np.zeros((32 // step, 32 // step, 4), np.float32)
        voxels[12 // step : 20 // step] = 1
        nibabel.Nifti1Image(voxels, np.diag([step, step, 1, 1])).to_filename(tmp_path / f"{step}.nii")
    values = encode(["1.nii", "2.nii"], tmp_path, spacing=2.0, size=24, depth=4, window=(0.5, 1)).values.astype(float)
    assert np.allclose(values[0].sum(), values[1].sum(), rtol=0.01)
    assert values[1, 1, 12].max() == 1 and (values[:, :, :, :2] == 0).all()


def test_the_first_of_several_volumes_is_taken_and_said(tmp_path):
    voxels = np.random.default_rng(0).normal(size=(8, 8, 8, 3))
    for name, part in (("4d.nii", voxels), ("3d.nii", voxels[..., 0])):
        nibabel.Nifti1Image(part, np.eye(4)).to_filename(tmp_path / name)
    found = encode(["4d.nii", "3d.nii"], tmp_path)
    assert np.array_equal(found.values[0], found.values[1])
    assert [p.row for p in found.problems] == [0] and "first of 3 volumes" in found.problems[0].reason


def nifti(path, voxels, change=None, unit=None):
    """(voxels, spacing, reasons of notes) of a file, some bytes of whose header are changed."""
    image = nibabel.Nifti1Image(voxels, np.diag([1, 2, 3, 1]))
    if unit:
        image.header.set_xyzt_units(unit)
    image.to_filename(path)
    if change:
        at, kind, values = change
        content = bytearray(path.read_bytes())
        content[at : at + struct.calcsize(kind)] = struct.pack(kind, *values)
        path.write_bytes(content)
    scan = _nifti.read_scan(path, 2**27)
    return scan.voxels.transpose(), scan.spacing, [reason for reason, _ in scan.notes]


COUNTED = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("change", "values"),
    [
        ((112, "<ff", (2, 1)), COUNTED * 2 + 1),
        ((112, "<ff", (0, 5)), COUNTED),  # no scale, says the format
        ((112, "<ff", (np.nan, np.nan)), COUNTED),
        ((76, "<ffff", (-1, -1, -2, -3)), COUNTED),  # distances are never negative
    ],
)
def test_scales_and_distances_of_nifti_are_read_as_the_format_means_them(change, values, tmp_path):
    voxels, spacing, notes = nifti(tmp_path / "a.nii", COUNTED, change)
    assert np.array_equal(voxels, values) and spacing == (3, 2, 1) and not notes


@pytest.mark.parametrize(
    ("unit", "mm"), [("mm", (3, 2, 1)), ("micron", (0.003, 0.002, 0.001)), ("meter", (3e3, 2e3, 1e3))]
)
def test_distances_of_nifti_are_in_mm_whatever_their_unit(unit, mm, tmp_path):
    assert np.allclose(nifti(tmp_path / "a.nii", COUNTED, unit=unit)[1], mm)


@pytest.mark.parametrize("number", [0, np.nan])
def test_an_orientation_that_makes_no_sense_is_reported(number, tmp_path):
    voxels, spacing, notes = nifti(tmp_path / "a.nii", COUNTED, (280, "<12f", [number] * 12))
    assert np.array_equal(voxels, COUNTED) and spacing == (3, 2, 1) and "used as stored" in notes[0]


def test_the_real_part_of_complex_voxels_is_used_and_said(tmp_path):
    voxels, _, notes = nifti(tmp_path / "a.nii", (COUNTED + 5j).astype(np.complex64))
    assert np.array_equal(voxels, COUNTED) and "only the real part" in notes[0]


def test_a_scan_that_is_larger_than_the_grid_is_cut_and_that_is_said(tmp_path):
    for side in (16, 40):
        image = nibabel.Nifti1Image(np.zeros((side, side, 4), np.float32), np.eye(4))
        image.header.set_xyzt_units("mm")
        image.to_filename(tmp_path / f"{side}.nii")
    found = encode(["16.nii", "40.nii"], tmp_path, spacing=1.0, size=16, depth=4)
    assert [(problem.row, "is cropped to its middle" in problem.reason) for problem in found.problems] == [(1, True)]
    assert not encode(["16.nii", "40.nii"], tmp_path, size=16, depth=4).problems


def groups_of(found):
    """Reason → the rows that it is reported for."""
    return {group.reason: [problem.row for problem in group.problems] for group in Problems(found.problems).groups()}


def test_images_without_a_declared_spacing_are_counted_where_it_is_used():
    silent, declared = dicom(ramp()), dicom(ramp(), PixelSpacing=[1, 1])
    found = encode([silent, declared, silent, None], spacing=1.0, size=16)
    assert groups_of(found) == {"the file declares no pixel spacing: 1 mm is assumed": [0, 2]}
    assert np.array_equal(found.values[0], found.values[1])
    assert all("remove the option spacing" in problem.cure for problem in found.problems)
    assert not encode([silent, declared]).problems, "stretched to the grid, whatever the spacing"


def test_volumes_without_a_declared_distance_of_slices_are_counted():
    voxels = np.stack([ramp()] * 6)
    silent, declared = dicom(voxels, PixelSpacing=[1, 1]), dicom(voxels, PixelSpacing=[1, 1], SliceThickness=2)
    found = encode([declared, silent, declared], spacing=2.0, size=8, depth=6)
    assert groups_of(found) == {"the file declares no distance of slices: 1 mm is assumed": [1]}
    assert not encode([silent, declared], spacing=1.0, size=16, depth=1).problems, "one slice has no distance"


@pytest.mark.parametrize(
    ("unit", "change", "reason"),
    [
        (None, None, "the file declares no unit of its voxel spacing: mm is assumed"),
        ("mm", (80, "<f", [0.0]), "the file declares no pixel spacing: 1 mm is assumed"),
        ("mm", (80, "<f", [np.nan]), "the file declares no pixel spacing: 1 mm is assumed"),
        ("micron", None, None),
    ],
)
def test_nifti_files_without_a_declared_spacing_are_counted(unit, change, reason, tmp_path):
    nifti(tmp_path / "a.nii", COUNTED, change, unit)
    nifti(tmp_path / "b.nii", COUNTED, unit="mm")
    found = encode(["b.nii", "a.nii"], tmp_path, spacing=1.0, size=16, depth=4)
    assert {own: rows for own, rows in groups_of(found).items() if "assumed" in own} == (
        {reason: [1]} if reason else {}
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (dicom(ramp())[:-100], "damaged or truncated"),
        (dicom(ramp())[:140], "no image"),
        (dicom(None), "no image"),
        (dicom(ramp(), Rows=60000, Columns=60000), "over the limit"),
        (b"plain words", "not a DICOM file"),
        (b"\x1f\x8b broken", "damaged"),
    ],
)
def test_what_is_no_scan_is_missing_with_a_reason(content, reason):
    found = encode([content, dicom(ramp())])
    assert found.present.tolist() == [False, True]
    assert reason in found.problems[0].reason


def files_of(package, pattern):
    return [path for path in sorted(Path(package.__file__).parent.rglob(pattern)) if path.is_file()]


@pytest.mark.parametrize(("package", "pattern", "least"), [(pydicom, "data/**/*", 95), (nibabel, "*.nii*", 6)])
def test_real_files_decode_or_have_a_reason(package, pattern, least):
    paths = files_of(package, pattern)
    cells = open_table({"c": [str(p) for p in paths]}, folder=Path(package.__file__).parent).column("c")
    learnt = Scan.learn(cells, size=16, depth=4)
    with warnings.catch_warnings(record=True) as heard:
        found = learnt.encode(cells)
    assert not heard
    assert found.values.shape == (len(paths), 4, 16, 16) and np.isfinite(found.values).all()
    assert found.present.sum() >= least
    assert set(np.flatnonzero(~found.present)) <= {problem.row for problem in found.problems}


def blobs(folder, rows=80, deep=False):
    """A table of scans with a bright blob (`yes`) or none, and of a patient whose every tag bears the mark."""
    folder.mkdir()
    random = np.random.default_rng(0)
    lines = ["scan,label"]
    for row in range(rows):
        pixels = random.normal(300, 60, (6, 16, 16) if deep else (16, 16))
        if row % 2:
            y, x = random.integers(2, 10, 2)
            pixels[..., y : y + 5, x : x + 5] += 500
        tags = dict.fromkeys(PERSONAL, MARK) | {"PatientBirthDate": "19010203"}
        content = dicom(pixels.clip(0).astype(np.uint16), **tags, InstanceNumber=12345678)
        if row % 20 == 8:  # a number that is none: libraries quote it
            content = content.replace(b"\x28\x00\x08\x00IS\x02\x00", b"\x28\x00\x08\x00IS\x0a\x00" + MARK.encode())
        (folder / f"{row}.dcm").write_bytes(content[: -200 if row % 20 == 7 else None])
        lines.append(f"{row}.dcm,{'yes' if row % 2 else 'no'}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return folder / "table.csv"


@pytest.mark.slow
@pytest.mark.parametrize("deep", [False, True])
def test_scans_are_learnt_saved_and_a_patient_appears_nowhere(deep, tmp_path, capfd):
    table, out = blobs(tmp_path / "data", deep=deep), tmp_path / "run"
    model = sensorium.fit(table, "label", out=out, epochs=12)
    assert model.evaluate(table).metrics["accuracy"] > 0.85
    assert np.array_equal(sensorium.load(out).predict_proba(table), model.predict_proba(table))
    commands = [
        ["inspect", table, "--target", "label"],
        ["evaluate", out, table, "--json"],
        ["predict", out, table, "--out", out / "answers.csv"],
    ]
    said = []
    for command in commands:
        result = CliRunner().invoke(_main.make_app(), [str(part) for part in command])
        assert result.exit_code == 0, result.output
        said.append(result.output)
    said = "".join([*said, *capfd.readouterr()]).encode()
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert len(written) > 4 and any(b"scan is damaged or truncated" in content for content in written)
    for secret in (MARK.encode(), UID.encode(), b"19010203"):
        assert secret in (table.parent / "7.dcm").read_bytes()
        assert not any(secret in content for content in [*written, said])


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sensorium\[medical\]'"):
        Scan.learn(column([b"x"]))


def test_the_modality_is_imported_without_its_libraries():
    code = "import sys, sensorium.modalities.scan; sys.exit(bool({'pydicom', 'nibabel', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
