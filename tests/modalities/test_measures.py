"""Sizes of original files, as columns of their own: what resizing and cutting removes from the cells."""

import io
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import sensorium
from sensorium.errors import ArtifactError
from sensorium.findings import Problems
from sensorium.modalities import _dicom, _nifti
from sensorium.modalities.audio_duration import AudioDuration
from sensorium.modalities.document_length import DocumentLength
from sensorium.modalities.image_size import ImageSize
from sensorium.modalities.scan import Scan
from sensorium.modalities.scan_size import ScanSize
from sensorium.modalities.video_size import VideoSize
from sensorium.prepare import prepare_columns
from sensorium.prepare.store import Store
from sensorium.runtime.progress import Silent
from sensorium.table import open_table
from sensorium.testing import make_column
from sensorium.testing.files import make_pdf, save_video

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")


def column(cells, folder=None):
    return open_table({"c": cells, "row": list(range(len(cells)))}, folder=folder).column("c")


def nifti(shape, spacing=(1.0, 1.0, 1.0), order=(0, 1, 2), unit="mm"):
    """A NIfTI file's bytes; shape and spacing along x, y and z, which are stored in another order."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, place in enumerate(order):
        affine[place, axis] = spacing[place]
    voxels = np.zeros([shape[place] for place in order], np.int16)
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units(unit)
    return image.to_bytes()


def measured(kind, content):
    return dict(zip(kind.names, kind.measure(io.BytesIO(content)), strict=True))


def test_a_scan_of_twice_the_size_has_twice_the_extent_and_eight_times_the_volume():
    small, large = (measured(ScanSize, nifti(shape, (0.5, 1.0, 3.0))) for shape in ((8, 10, 12), (16, 20, 24)))
    assert small == {
        "depth in mm": 36,
        "height in mm": 10,
        "width in mm": 4,
        "volume in ml": 1.44,
        "number of slices": 12,
        "number of rows": 10,
        "number of columns": 8,
    }
    assert {name: large[name] / small[name] for name in small} == {
        name: 8 if name == "volume in ml" else 2 for name in small
    }
    coarse = measured(ScanSize, nifti((8, 10, 12), (1.0, 2.0, 6.0)))
    assert coarse["depth in mm"] == 2 * small["depth in mm"] and coarse["number of rows"] == small["number of rows"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_the_axes_in_a_file_does_not_matter(order):
    content = nifti((8, 10, 12), (0.5, 1.0, 3.0), order)
    assert measured(ScanSize, content) == measured(ScanSize, nifti((8, 10, 12), (0.5, 1.0, 3.0)))
    header, scan = _nifti.read_header(io.BytesIO(content)), _nifti.read_scan(io.BytesIO(content), 10**6)
    assert (header.shape, header.spacing) == (scan.voxels.shape, scan.spacing)


def test_the_size_of_a_dicom_file_is_that_of_its_voxels():
    paths = [pydicom.data.get_testdata_file(name) for name in ("CT_small.dcm", "MR_small.dcm", "rtdose.dcm")]
    for path in paths:
        content = Path(path).read_bytes()
        scan = _dicom.read_scan(io.BytesIO(content), 10**7)
        found = measured(ScanSize, content)
        assert [found[f"number of {name}"] for name in ("slices", "rows", "columns")] == list(scan.voxels.shape)
        mm = [voxels * spacing for voxels, spacing in zip(scan.voxels.shape, scan.spacing, strict=True)]
        assert [found[f"{name} in mm"] for name in ("depth", "height", "width")] == mm


def picture(width, height, orientation=None, kind="JPEG"):
    exif = Pillow.Exif()
    if orientation:
        exif[0x0112] = orientation
    stream = io.BytesIO()
    Pillow.new("RGB", (width, height)).save(stream, kind, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_image_is_measured_upright(kind):
    assert ImageSize.measure(io.BytesIO(picture(30, 20, None, kind))) == (30, 20)
    assert ImageSize.measure(io.BytesIO(picture(30, 20, 3, kind))) == (30, 20)
    assert ImageSize.measure(io.BytesIO(picture(30, 20, 6, kind))) == (20, 30)


def test_a_clip_is_measured_beyond_the_part_that_is_kept():
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(8000 * 12, np.float32), 8000, format="WAV")
    assert AudioDuration.measure(io.BytesIO(stream.getvalue())) == (12.0,)


def test_pages_are_counted_that_are_not_read():
    pytest.importorskip("pypdfium2")
    assert DocumentLength.measure(io.BytesIO(make_pdf([b""] * 60))) == (60,)


def test_a_video_has_a_duration_frames_and_sides(tmp_path):
    pytest.importorskip("av")
    path = save_video(np.zeros((7, 32, 48, 3), np.uint8), tmp_path, 0)
    found = dict(zip(VideoSize.names, VideoSize.measure(tmp_path / path), strict=True))
    assert found == {
        "duration in seconds": pytest.approx(1.4),
        "number of frames": 7,
        "width in pixels": 48,
        "height in pixels": 32,
    }


def test_sizes_are_logarithms_without_those_that_tell_nothing_more():
    cells = column([nifti((8, 10, 12)), nifti((8, 10, 24)), nifti((8, 20, 12)), nifti((8, 20, 24))])
    learnt = ScanSize.learn(cells)
    assert learnt.describe() == "depth in mm, height in mm, volume in ml"  # one width; as many mm as voxels
    found = learnt.encode(cells)
    assert np.allclose(found.values[:, :2], [[-1, -1], [1, -1], [-1, 1], [1, 1]])
    assert np.allclose(found.values.mean(0), 0, atol=1e-6) and np.allclose(found.values.std(0), 1)


def test_files_of_one_size_are_encoded_as_zeros():
    cells = column([nifti((8, 8, 8)), None, nifti((8, 8, 8))])
    found = ScanSize.learn(cells).encode(cells)
    assert found.values.tolist() == [[0], [0], [0]] and found.present.tolist() == [True, False, True]


def test_a_missing_cell_is_zeros_and_not_present_and_a_damaged_file_is_told():
    cells = column([nifti((8, 8, 8)), None, b"no scan", nifti((8, 8, 16))])
    found = ScanSize.learn(cells).encode(cells)
    assert found.present.tolist() == [True, False, False, True]
    assert not found.values[1:3].any()
    assert [problem.row for problem in found.problems] == [2]


def test_a_size_far_outside_the_training_range_is_told():
    learnt = ScanSize.learn(column([nifti((8, 8, depth)) for depth in (10, 11, 12)]))
    (problem,) = learnt.encode(column([nifti((8, 8, 12)), nifti((8, 8, 300))])).problems
    assert problem.row == 1 and "depth in mm" in problem.reason and "10 to 12" in problem.reason


@pytest.mark.parametrize("name", ["scan_size", "image_size", "audio_duration"])
def test_the_files_themselves_are_told_apart_by_the_modality_that_reads_them(name, tmp_path):
    make_column(name, tmp_path)
    (plan, *_) = sensorium.inspect(tmp_path / "table.csv", "label").columns
    assert plan.modality == {"scan_size": "scan", "image_size": "image", "audio_duration": "audio"}[name]


FORGED = [
    {"used": []},
    {"used": [0, 0]},
    {"used": [0, 7]},
    {"used": [-1, 0]},
    {"used": [0, 1, 2]},
    {"mean": np.zeros(3)},
    {"deviation": np.zeros(2)},
    {"lowest": np.zeros(2)},
    {"lowest": np.array([np.inf, 1])},
    {"highest": np.ones(1)},
    {"highest": np.full(2, 1e-9)},
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_forged_state_is_refused(forged):
    learnt = ScanSize.learn(column([nifti((8, 10, 12)), nifti((8, 10, 24))]))
    assert len(learnt.used) == 1
    wide = ScanSize([0, 1], np.zeros(2), np.ones(2), np.ones(2), np.full(2, 9.0))
    ScanSize.restore(*wide.state())
    with pytest.raises(ArtifactError):
        ScanSize.restore(*replace(wide, **forged).state())


def test_streamed_and_stored_sizes_are_the_same(tmp_path):
    cells = [nifti((8, 10, depth)) for depth in (8, 12, 20)] + [None, b"no scan"]
    table = open_table({"c": cells, "row": list(range(5))})
    learnt = {"c": ScanSize.learn(table.column("c"))}
    plain = prepare_columns(table, learnt, Silent()).columns["c"]
    rows = np.array([4, 3, 2, 1, 0])
    streamed = prepare_columns(table, learnt, Silent(), stream=True).columns["c"].encode(rows)
    assert np.array_equal(streamed.values, plain.values[rows])
    assert np.array_equal(streamed.present, plain.present[rows])
    for _ in range(2):  # written, then read
        stored = prepare_columns(table, learnt, Silent(), Store(tmp_path, 10**8)).columns["c"]
        assert np.array_equal(stored.values, plain.values) and np.array_equal(stored.present, plain.present)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Scans whose slices are alike; the amount is the number of slices, which vanishes where they are stretched."""
    folder, random = tmp_path_factory.mktemp("crops"), np.random.default_rng(0)
    lines = ["scan,amount"]
    for row in range(90):
        depth = int(random.integers(8, 25))
        voxels = np.tile(np.arange(10, dtype=np.int16)[:, None, None], (1, 12, depth))
        nibabel.Nifti1Image(voxels, np.eye(4)).to_filename(folder / f"{row}.nii")
        lines.append(f"{row}.nii,{depth + random.normal(0, 0.3):.3f}")
    (folder / "t.csv").write_text("\n".join(lines))
    return folder / "t.csv"


@pytest.mark.slow
def test_a_model_sees_the_size_of_scans_and_a_loaded_one_predicts_the_same(crops, tmp_path):
    settings = {"preset": "fast", "epochs": 40, "progress": False, "modalities": {"scan": {"size": 8, "depth": 4}}}
    model = sensorium.fit(crops, "amount", out=tmp_path / "run", **settings)
    assert model.columns == {"scan": "scan", "scan.size": "scan_size"}
    assert any(problem.column == "scan.size" and "--exclude" in problem.cure for problem in model.fit_problems)
    assert model.test.metrics["r2"] > 0.7
    found = model.predict(crops)
    assert np.array_equal(sensorium.load(tmp_path / "run").predict(crops), found)
    blind = sensorium.fit(crops, "amount", exclude=["scan.size"], **settings)
    assert blind.columns == {"scan": "scan"}
    assert blind.test.metrics["r2"] < 0.5


def test_scans_of_one_size_have_no_column_of_sizes(tmp_path):
    make_column("scan", tmp_path)
    plans = sensorium.inspect(tmp_path / "table.csv", "label").columns
    assert json.dumps({plan.name: plan.modality for plan in plans}) == '{"scan": "scan", "label": null}'


def test_sizes_of_other_files_are_columns_if_they_are_named(tmp_path):
    make_column("image_size", tmp_path)
    table = tmp_path / "table.csv"
    plain = {plan.name: plan.modality for plan in sensorium.inspect(table, "label").columns}
    assert plain == {"image_size": "image", "label": None}
    asked = sensorium.inspect(table, "label", config={"columns": ["image_size.size"]}).columns
    assert {plan.name: plan.modality for plan in asked} == {
        "image_size": None,
        "image_size.size": "image_size",
        "label": None,
    }


def test_scans_learn_their_grid_from_the_order_in_which_they_are_read():
    cells = column([nifti((30, 40, 20), order=order) for order in ((2, 0, 1), (0, 1, 2), (1, 2, 0))])
    assert Scan.learn(cells).describe() == "20 × 30 × 30"


def test_sizes_of_scans_without_a_declared_spacing_are_counted():
    silent, known = nibabel.Nifti1Image(np.zeros((8, 9, 10), np.int16), np.eye(4)), nifti((8, 10, 12))
    cells = column([silent.to_bytes(), known, silent.to_bytes(), None])
    found = ScanSize.learn(cells).encode(cells)
    (group,) = Problems(found.problems).groups()
    assert group.reason == "the file declares no unit of its voxel spacing: mm is assumed"
    assert [problem.row for problem in group.problems] == [0, 2] and "exclude this column" in group.cure
    assert found.present.tolist() == [True, True, True, False]
