"""Attributes of DICOM files as columns: only those asked for by name, and none that tells of the patient unless that is
asked for too.
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import sensorium
from sensorium.cli import _main
from sensorium.errors import ConfigError, SchemaError
from sensorium.modalities.scan_tag import ScanTag
from sensorium.table import open_table

pydicom = pytest.importorskip("pydicom")

MARK = "ZQXMARKZ"
REAL = Path(pydicom.__file__).parent / "data" / "test_files"


def header(path, **attributes):
    data = pydicom.Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.826.0.1.2"
    with pydicom.config.disable_value_validation():
        for name, value in {"Modality": "CT", **attributes}.items():
            setattr(data, name, value)
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that the standard does not allow, which is what is tested
        pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path.name


def view(names, attribute, folder):
    table = open_table({"scan": names, "row": list(range(len(names)))}, folder=folder)
    return table.with_views({f"scan.{attribute}": "scan"}).column(f"scan.{attribute}")


def spelt(tmp_path, attribute, values):
    """A view of as many files, each with one of the values; None leaves the attribute out."""
    files = [header(tmp_path / f"{i}.dcm", **({} if v is None else {attribute: v})) for i, v in enumerate(values)]
    return view(files, attribute, tmp_path)


def test_a_number_is_standardised_by_the_training_rows(tmp_path):
    cells = spelt(tmp_path, "KVP", ["100", "140", None, ""])
    learnt = ScanTag.learn(cells)
    found = learnt.encode(cells)
    assert (learnt.kind, found.values.dtype, found.values.shape) == ("number", np.float32, (4, 1))
    assert found.values[:, 0].tolist() == [-1, 1, 0, 0]
    assert found.present.tolist() == [True, True, False, False]
    assert found.problems == [], "a view may lack what it looks for"


def test_ages_are_in_years_and_several_values_stand_side_by_side(tmp_path):
    ages = spelt(tmp_path, "PatientAge", ["040Y", "018M", "012W", "010D", "old"])
    learnt = ScanTag.learn(ages)
    found = learnt.encode(ages)
    years = found.values[:4, 0] * learnt.deviation + learnt.mean
    assert years == pytest.approx([40, 1.5, 12 * 7 / 365.25, 10 / 365.25], abs=1e-5)
    assert [(p.row, p.reason) for p in found.problems] == [(4, "the age is not written like 045Y: read as missing")]
    spacing = spelt(tmp_path, "PixelSpacing", [["0.5", "0.7"], ["1.5", "0.9"]])
    learnt = ScanTag.learn(spacing)
    assert learnt.encoder_spec() == {"floats": 2}
    assert learnt.encode(spacing).values.tolist() == [[-1, pytest.approx(-1)], [1, pytest.approx(1)]]


def test_names_are_levels_and_a_number_can_be_a_name(tmp_path):
    cells = spelt(tmp_path, "ImageType", [["ORIGINAL", "AXIAL"], ["DERIVED", "AXIAL"]] * 2)
    learnt = ScanTag.learn(cells)
    assert learnt.levels == ["DERIVED\\AXIAL", "ORIGINAL\\AXIAL"]
    assert learnt.encode(cells).values.tolist() == [2, 1, 2, 1]
    voltage = spelt(tmp_path, "KVP", ["120.0", "120", "80"])
    learnt = ScanTag.learn(voltage, kind="category")
    assert (learnt.levels, learnt.rare) == (["120"], ["80"])
    new = learnt.encode(spelt(tmp_path, "KVP", ["120", "100"]))
    assert new.values.tolist() == [1, 0]
    assert [p.reason for p in new.problems] == ["KVP was not seen in training: read as unknown"]


@pytest.mark.parametrize(
    "attribute",
    ["PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "PatientComments", "OtherPatientIDs",
     "StudyDate",
     "AccessionNumber", "InstitutionName", "StationName", "OperatorsName", "SeriesDescription", "StudyInstanceUID",
     "ProtocolName", "StudyID", "DeviceSerialNumber", "PatientTelephoneNumbers", "ReferringPhysicianName"],
)  # fmt: skip
def test_what_tells_of_the_patient_is_refused_unless_asked_for(attribute, tmp_path):
    value = "20260101" if attribute.endswith("Date") else "1.2.3" if attribute.endswith("UID") else "a"
    cells = spelt(tmp_path, attribute, [value, value])
    with pytest.raises(ConfigError, match=rf"--set 'modalities\.\"scan\.{attribute}\"\.personal=true'"):
        ScanTag.learn(cells)
    assert ScanTag.learn(cells, personal=True).levels == [value]


def test_no_attribute_of_the_dictionary_is_open_by_its_words():
    """Whatever the standard adds: names, dates, unique numbers and free text are closed."""
    from pydicom.datadict import DicomDictionary

    from sensorium.modalities.scan_tag import OPEN, OPEN_TEXTS

    assert not set(OPEN) & {"PN", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "UI", "DA", "DT", "TM"}
    told = re.compile(r"Patient\w*(Name|IDs?|Birth\w*|Address|Telephone\w*)$|Institution(Name|Address)|PersonName")
    found = {word for _, _, _, _, word in DicomDictionary.values() if told.search(word)}
    kinds = {word: kind for kind, _, _, _, word in DicomDictionary.values()}
    assert len(found) > 15
    assert {word for word in found if kinds[word][:2] in OPEN or word in OPEN_TEXTS} == {"TypeOfPatientID"}


@pytest.mark.parametrize(
    ("attribute", "message"),
    [("KVPP", "'KVP'"), ("PixelData", "not a value"), ("SharedFunctionalGroupsSequence", "not a value")],
)
def test_what_is_no_attribute_with_a_value_is_refused(attribute, message, tmp_path):
    header(tmp_path / "a.dcm")
    with pytest.raises(SchemaError, match=message):
        sensorium.inspect(
            open_table({"scan": ["a.dcm"] * 9, "n": [1.5, 2, 3] * 3}, folder=tmp_path),
            config={"modalities": {f"scan.{attribute}": {}, "scan": "scan"}},
        )


def test_a_file_that_can_t_be_read_is_told_without_its_words(tmp_path):
    files = [header(tmp_path / "a.dcm", KVP="100", PatientName=MARK), "b.dcm", "c.dcm", "d.dcm"]
    whole = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "b.dcm").write_bytes(b"no DICOM file at all")
    (tmp_path / "c.dcm").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "d.dcm").write_bytes(whole.replace(b"DS\x04\x00100 ", b"DS\x08\x00" + MARK.encode()))
    cells = view(files, "KVP", tmp_path)
    found = ScanTag.learn(cells).encode(cells)
    assert found.present.tolist() == [True, False, False, False]
    assert {1, 3} <= {problem.row for problem in found.problems}
    assert MARK not in str(found.problems)


@pytest.mark.slow
def test_every_attribute_of_real_files_is_read_or_told():
    paths = sorted(p for p in REAL.glob("*.dcm"))
    assert len(paths) > 60
    for attribute in ("KVP", "PatientAge", "PixelSpacing", "Modality", "Rows", "ImageType", "WindowCenter"):
        cells = view([p.name for p in paths], attribute, REAL)
        found = ScanTag.learn(cells).encode(cells)
        assert np.isfinite(found.values).all()
        assert found.present.any()
    assert ScanTag.learn(view(["CT_small.dcm"], "KVP", REAL)).mean.tolist() == [120]


@pytest.fixture
def scanned(tmp_path):
    """Files whose voltage and machine tell the label together, of patients who bear a mark."""
    random = np.random.default_rng(0)
    lines = ["scan,label"]
    for row in range(80):
        high, machine = bool(random.random() < 0.5), ("CT", "DX")[random.integers(2)]
        personal = {"PatientName": MARK, "PatientID": MARK, "InstitutionName": MARK}
        header(tmp_path / f"{row}.dcm", KVP=f"{60 + 60 * high}", **personal, Modality=machine, PatientAge="050Y")
        lines.append(f"{row}.dcm,{'yes' if high == (machine == 'CT') else 'no'}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return tmp_path / "t.csv"


@pytest.mark.slow
def test_attributes_asked_for_by_name_are_learnt_and_no_other_leaves_the_files(scanned, tmp_path, capfd):
    columns, out = ["scan.KVP", "scan.Modality"], tmp_path / "run"
    model = sensorium.fit(scanned, "label", columns=columns, out=out, epochs=15)
    assert model.columns == {"scan.KVP": "scan_tag", "scan.Modality": "scan_tag"}
    labels = open_table(scanned).column("label").data.to_pylist()
    assert (model.predict(scanned) == np.array(labels)).mean() > 0.95
    assert np.array_equal(sensorium.load(out).predict(scanned), model.predict(scanned))
    said = CliRunner().invoke(_main.make_app(), ["inspect", str(scanned), "--columns", "scan.KVP", "--json"])
    assert said.exit_code == 0, said.output
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    heard = "".join([said.output, *capfd.readouterr()])
    assert "scan.KVP" in heard and MARK not in heard
    assert not any(MARK.encode() in content for content in written)


def test_none_is_taken_unasked_and_beside_the_pictures_they_are_a_tower_of_their_own(scanned):
    plain = {c.name: c.modality for c in sensorium.inspect(scanned, "label").columns}
    assert plain == {"scan": "scan", "label": None}
    config = {"modalities": {"scan.KVP": {"kind": "category"}, "scan.PatientAge": {}}}
    plans = sensorium.inspect(scanned, "label", config=config).columns
    assert [c.name for c in plans] == ["scan", "scan.KVP", "scan.PatientAge", "label"]
    left_out = sensorium.inspect(scanned, "label", config={**config, "exclude": ["scan"]}).columns
    assert json.dumps({c.name: c.modality for c in left_out}) == json.dumps(
        {"scan": None, "scan.KVP": "scan_tag", "scan.PatientAge": "scan_tag", "label": None}
    )


def test_another_modality_can_t_read_an_attribute_and_the_options_that_could_are_named(scanned):
    told = r"only scan_tag can read this view, not number(.|\n)*attribute, kind, personal"
    with pytest.raises(ConfigError, match=told):
        sensorium.inspect(scanned, "label", config={"modalities": {"scan.KVP": "number"}})
    by_name = sensorium.inspect(scanned, "label", config={"modalities": {"scan.KVP": "scan_tag"}}).columns
    assert [column.modality for column in by_name] == ["scan", "scan_tag", None]
