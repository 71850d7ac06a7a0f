"""A member of another package is checked when it is loaded, and everything that it lacks is listed at once."""

import textwrap

import numpy as np
import pytest
import torch
from torch import nn

import sensorium
from sensorium import registry as registry_module
from sensorium.errors import ConfigError
from sensorium.fusion import BaseFusion, stack
from sensorium.model import rehearsal
from sensorium.registry import KINDS, REGISTRIES, Registry
from sensorium.registry.failures import MemberError
from sensorium.testing import check_fusion
from sensorium.testing.contents import WORDS
from tiers import tiered

CHECKED = [found for found in REGISTRIES if found.contract is not None]


@pytest.fixture
def dropped(tmp_path, monkeypatch):
    """Return a function that drops a file into the folder of another package, and returns the registry of its kind."""

    def drop(kind, name, code):
        package = f"{tmp_path.name}_of_{kind}"
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / f"{name}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(tmp_path)
        groups = {KINDS[kind].package: [package]}
        monkeypatch.setattr(registry_module, "_plugin_packages", lambda group: groups.get(group, []))
        own = KINDS[kind]
        fresh = Registry(own.kind, own.package, taker=own._taker, contract=own.contract)
        monkeypatch.setitem(vars(own), "entries", fresh.entries)
        monkeypatch.setattr(own, "_checked", set())
        return own

    return drop


@pytest.mark.unit
@pytest.mark.parametrize("found", CHECKED, ids=lambda found: found.kind)
def test_sensoriums_own_members_fulfil_their_contract(found):
    for name in found.names():
        found._check(name, found.load(name), found.contract)


LACKING = {
    "fusion": ["torch.nn.Module", "level", "own_widths", "forward", "modality_weights", "option loud", "constructor"],
    "encoder": ["torch.nn.Module", "forward", "option loud", "ACCEPTS"],
    "head": ["torch.nn.Module", "forward", "option loud", "constructor"],
    "task": ["subclass of Task", "watch", "learn", "encode", "outputs", "loss", "scores", "prior"],
    "modality": ["subclass of Modality", "encoder", "looks_like", "learn", "encode", "encoder_spec"],
    "technique": ["subclass of Technique", "option loud"],
    "augmentation": ["subclass of Augmentation", "change", "ACCEPTS"],
    "adaptation": ["subclass of Adaptation", "adapt"],
    "baseline": ["subclass of Baseline", "form", "model", "usual", "path", "TASKS"],
    "strategy": ["subclass of Strategy", "run"],
    "preset": ["subclass of Preset", "STRATEGY"],
    "tracker": ["subclass of Tracker", "start", "log", "end"],
}


@pytest.mark.unit
@pytest.mark.parametrize(("kind", "lacking"), LACKING.items(), ids=str)
def test_everything_that_a_member_lacks_is_listed_at_once(kind, lacking, dropped):
    found = dropped(kind, f"bare_{kind}", f"class Bare{kind.title()}:\n    def __init__(self, *, loud): ...\n")
    with pytest.raises(ConfigError) as caught:
        found.load(f"bare_{kind}")
    findings = [fault.finding for fault in caught.value.faults]
    for word in lacking:
        assert any(word in finding for finding in findings), (word, findings)
    assert all(fault.place.endswith(f"bare_{kind}.py") and fault.rule for fault in caught.value.faults)
    check = found.contract.check
    assert not check or any(f"sensorium.testing.{check}('bare_{kind}')" in f.cure for f in caught.value.faults)


@pytest.mark.unit
def test_a_metric_without_tasks_and_with_other_parameters_is_refused(dropped):
    found = dropped("metric", "lost", "def lost(outcome): ...\n")
    with pytest.raises(ConfigError, match=r"takes \(outcome\)(.|\n)*lacks the literal TASKS"):
        found.load("lost")


@pytest.mark.unit
@pytest.mark.parametrize(
    ("code", "reason"), [("import nothing_like_this", "ModuleNotFoundError"), ("def (", "SyntaxError")]
)
def test_a_file_that_cannot_be_imported_is_named(code, reason, dropped):
    with pytest.raises(ConfigError, match=reason) as caught:
        dropped("head", "odd", code).load("odd")
    assert "odd.py" in caught.value.place


@pytest.mark.unit
def test_an_entry_point_without_a_package_is_named(monkeypatch):
    monkeypatch.setattr(registry_module, "_plugin_packages", lambda group: ["gone.away"])
    with pytest.raises(ConfigError, match=r"no package 'gone\.away'"):
        Registry("head", "sensorium.heads").names()


def films(rows=40):
    texts = [" ".join(WORDS[(row + place) % len(WORDS)] for place in range(6)) for row in range(rows)]
    return {"note": texts, "x": [float(row % 7) for row in range(rows)], "y": ["a", "b"] * (rows // 2)}


FAST = {"modalities": {"note": "text"}, "epochs": 1, "width": 16, "progress": False}


def test_a_registered_metric_that_fails_is_named_before_a_file_is_decoded(dropped, monkeypatch):
    dropped("metric", "odd", 'TASKS = ("binary",)\ndef odd(outcome, weights):\n    return outcome.scores.missing\n')
    monkeypatch.setattr("sensorium.api._fit_steps.prepare_table", lambda *_: pytest.fail("cells were decoded"))
    with pytest.raises(MemberError, match="the metric 'odd' failed in odd: AttributeError") as caught:
        sensorium.fit(films(), "y", **FAST)
    assert isinstance(caught.value.__cause__, AttributeError) and "weights: float64[2, 8]" in caught.value.rule


def test_a_registered_encoder_of_a_wrong_shape_is_named_before_a_file_is_decoded(dropped, monkeypatch):
    code = """
    from torch import nn
    from sensorium.batch import Tokens
    ACCEPTS = ("text",)
    class Flat(nn.Module):
        def __init__(self, vocabulary):
            super().__init__()
            self.width, self.table = 4, nn.Embedding(vocabulary, 8)
        def forward(self, cells):
            return Tokens(self.table(cells.values.long()), cells.mask)
    """
    dropped("encoder", "flat", code)
    monkeypatch.setattr("sensorium.api._fit_steps.prepare_table", lambda *_: pytest.fail("cells were decoded"))
    with pytest.raises(MemberError, match=r"'flat' failed in forward: .*float32\[3, 8\], not \(b, width\) = \(3, 4\)"):
        sensorium.fit(films(), "y", encoders={"note": "flat"}, **FAST)


def test_a_registered_encoder_of_many_columns_is_run_once_with_the_cells_that_it_gets_in_training(dropped, monkeypatch):
    code = """
    from torch import nn
    from sensorium.batch import PackedCells, Tokens
    ACCEPTS = ("number",)
    JOINT = True
    class Side(nn.Module):
        def __init__(self, columns):
            super().__init__()
            self.groups, self.width = [list(range(len(columns)))], len(columns)
        def forward(self, *cells):
            packed, = cells
            assert isinstance(packed, PackedCells) and packed.present.shape[1] == self.width
            return Tokens.of_vector(packed.values[:, : self.width])
    """
    dropped("encoder", "side", code)
    made = []
    monkeypatch.setattr(
        rehearsal, "zero_batch", lambda learnt, rows, make=rehearsal.zero_batch: made.append(rows) or make(learnt, rows)
    )
    table = {f"x{place}": [row * place % 7 + 0.5 for row in range(40)] for place in range(1, 6)}
    settings = {"encoders": {"number": "side"}, "epochs": 1, "width": 8, "progress": False}
    sensorium.fit(table | {"y": ["a", "b"] * 20}, "y", **settings)
    assert made == [3]


class Mean(BaseFusion):
    def forward(self, tokens, present):
        weights = present / present.sum(1, keepdim=True)
        return (weights[..., None] * stack(tokens)).sum(1)


class Scaled(Mean):
    def __init__(self, widths, width, *, scale: float = 1.0):
        super().__init__(widths, width)
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, tokens, present):
        return self.scale * super().forward(tokens, present)


class Stacked(BaseFusion):
    def forward(self, tokens, present):
        return stack(tokens)


class Tardy(Mean):
    """It fails after several batches."""

    batches = 0

    def forward(self, tokens, present):
        Tardy.batches += self.training
        if Tardy.batches > 3:
            raise KeyError("too late")
        return super().forward(tokens, present)


@pytest.mark.unit
def test_a_fusion_of_four_lines_fulfils_the_contract():
    check_fusion(Mean)
    check_fusion(Scaled, scale=0.5)


@pytest.mark.parametrize(
    "fusion",
    tiered([lambda widths, width: Scaled(widths, width), {"name": Scaled, "scale": 2}], [Scaled, Scaled([16, 16], 16)]),
)
def test_a_fusion_is_passed_saved_and_passed_again(fusion, tmp_path):
    model = sensorium.fit(films(), "y", fusion=fusion, out=tmp_path / "run", **FAST)
    assert model.fusion.startswith("module:")
    with pytest.raises(ConfigError, match="is your own module") as caught:
        sensorium.load(tmp_path / "run")
    assert "pass it again: fusion=" in caught.value.cure
    given = fusion["name"] if isinstance(fusion, dict) else fusion
    again = sensorium.load(tmp_path / "run", fusion=given)
    assert (again.predict_proba(films()) == model.predict_proba(films())).all()
    more = sensorium.fit(films(), "y", start=tmp_path / "run", fusion=fusion, **FAST)
    assert not (more.predict_proba(films()) == model.predict_proba(films())).all()


def test_the_options_of_a_passed_fusion_are_checked():
    with pytest.raises(ConfigError, match="unknown option 'scal'"):
        sensorium.fit(films(), "y", fusion={"name": Scaled, "scal": 1}, **FAST)


class Bare(nn.Module):
    def forward(self, tokens):
        return tokens


@pytest.mark.unit
@pytest.mark.parametrize("train", [sensorium.fit, sensorium.compare])
def test_everything_that_a_passed_fusion_lacks_is_listed_before_the_table_is_read(train):
    chosen = {"fusion": Bare} if train is sensorium.fit else {"fusions": ["gated", Bare]}
    with pytest.raises(ConfigError) as caught:
        train("no such table.csv", "y", progress=False, **chosen)
    findings = " ".join(fault.finding for fault in caught.value.faults)
    assert all(word in findings for word in ("level", "own_widths", "forward(self, tokens)", "modality_weights"))
    assert "sensorium.fusion.BaseFusion" in caught.value.faults[-1].cure


def test_a_comparison_refuses_a_fusion_of_a_wrong_shape_before_it_trains(monkeypatch):
    monkeypatch.setattr("sensorium.api._compare.prepare_table", lambda *_: pytest.fail("cells were decoded"))
    with pytest.raises(MemberError, match=r"'Stacked' failed in forward: the result is float32\[3, 2, 16\]") as caught:
        sensorium.compare(films(), "y", fusions=["concat", Mean, Stacked], baselines="none", **FAST)
    assert "tokens: [Tokens float32[3, 1, 16]" in caught.value.rule


@pytest.mark.slow
def test_finished_trials_are_kept_if_a_fusion_fails_later(tmp_path, capsys):
    Tardy.batches = 0
    chosen = {"fusions": ["concat", Mean, Tardy], "baselines": "none", "out": tmp_path / "c"}
    with pytest.raises(MemberError, match="the fusion 'Tardy' failed in forward: KeyError") as caught:
        sensorium.compare(films(), "y", **chosen, batch_size=8, **FAST)
    assert f"4 finished trials are kept in {tmp_path / 'c'}" in caught.value.cure
    assert isinstance(caught.value.__cause__, KeyError)
    found = sensorium.compare(
        films(), "y", **(chosen | {"fusions": ["concat", Mean]}), batch_size=8, **(FAST | {"progress": True})
    )
    assert [result.name for result in found.results] == ["note", "x", "concat", "Mean"]
    assert [result.model.name for result in found.results] == ["note", "x", "concat", "Mean"]
    assert "module:" not in found.verdict
    printed = capsys.readouterr().err
    assert all(f"{name}: already finished" in printed for name in ("note", "x", "concat"))


@pytest.mark.unit
@pytest.mark.parametrize(
    ("fusion", "fault"),
    [
        (lambda widths: None, "the fusion 'fusion' lacks the parameter 'width'"),
        (lambda: None, "lacks the parameters 'widths' and 'width'"),
        (lambda widths, width, depth: None, "requires more than two arguments: 'widths', 'width', 'depth'"),
        (lambda widths, width, *, depth: None, "requires more than two arguments: 'widths', 'width', 'depth'"),
        (lambda widths, width: None, "the fusion 'fusion' made a NoneType"),
    ],
)
def test_a_function_that_makes_no_fusion_has_its_fault_named(fusion, fault):
    with pytest.raises(ConfigError, match=fault):
        sensorium.fit(films(), "y", fusion=fusion, **FAST)


class Words(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.table = nn.EmbeddingBag(vocabulary, 8)

    def forward(self, ids):
        return self.table(ids)


class Reals(Words):
    def forward(self, ids):
        return self.table(ids.float())


def test_the_class_of_an_encoder_is_built_from_what_the_column_supplies(tmp_path):
    model = sensorium.fit(films(), "y", encoders={"note": Words}, out=tmp_path / "run", **FAST)
    again = sensorium.load(tmp_path / "run", encoders={"note": Words})
    assert (again.predict_proba(films()) == model.predict_proba(films())).all()


def test_an_encoder_that_fails_on_sample_cells_is_named():
    with pytest.raises(MemberError, match="the encoder 'Reals' failed in forward: RuntimeError") as caught:
        sensorium.fit(films(), "y", encoders={"note": Reals}, **FAST)
    assert "values: int64[2, 8]" in caught.value.rule and isinstance(caught.value.__cause__, RuntimeError)


class Undefined(Words):
    def forward(self, ids):
        return super().forward(ids) * float("nan")


class UndefinedMean(Mean):
    def forward(self, tokens, present):
        return super().forward(tokens, present) / present.all(1, keepdim=True)  # infinite if a modality is missing


class Standardized(nn.Module):
    """It divides by the deviation of a row, which is 0 in constant cells."""

    def forward(self, pixels):
        rows = pixels.flatten(1)
        return ((rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True))[:, :8]


@pytest.mark.parametrize("encoder", [Undefined, Undefined(10_000), lambda vocabulary: Undefined(vocabulary)])
def test_an_encoder_that_returns_nan_is_named_before_cells_are_decoded(encoder, monkeypatch):
    monkeypatch.setattr("sensorium.api._fit_steps.prepare_table", lambda *_: pytest.fail("cells were decoded"))
    with pytest.raises(MemberError, match="the encoder 'Undefined' failed in forward: the result contains NaN"):
        sensorium.fit(films(), "y", encoders={"note": encoder}, **FAST)


def test_a_fusion_that_returns_infinity_is_named_before_cells_are_decoded(monkeypatch):
    monkeypatch.setattr("sensorium.api._fit_steps.prepare_table", lambda *_: pytest.fail("cells were decoded"))
    with pytest.raises(MemberError, match="the fusion 'UndefinedMean' failed in forward: the result contains NaN"):
        sensorium.fit(films(), "y", fusion=UndefinedMean, **FAST)


def test_an_encoder_that_is_undefined_on_constant_cells_only_is_accepted():
    random = np.random.default_rng(0)
    table = {"photo": list(random.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)), "y": ["a", "b"] * 20}
    model = sensorium.fit(table, "y", encoders={"photo": Standardized()}, epochs=1, progress=False)
    assert np.isfinite(model.predict_proba(table)).all()


@pytest.mark.parametrize(("encoder", "name"), [(lambda x: x, "function '<lambda>'"), (Scaled, "class 'Scaled'")])
def test_parameters_that_the_column_does_not_supply_are_named(encoder, name):
    with pytest.raises(ConfigError, match=f"the {name} has parameters that the column does not supply: ") as caught:
        sensorium.fit(films(), "y", encoders={"note": encoder}, **FAST)
    assert "a torch.nn.Module" in caught.value.rule and "vocabulary" in caught.value.rule


@pytest.mark.unit
def test_an_encoder_without_forward_is_refused_before_the_table_is_read():
    class Empty(nn.Module):
        pass

    with pytest.raises(ConfigError, match="Empty lacks the method forward"):
        sensorium.fit("no such table.csv", "y", encoders={"note": Empty()}, progress=False)


@pytest.mark.unit
def test_methods_of_a_callback_that_nothing_calls_are_refused_before_the_table_is_read():
    class Typo(sensorium.Callback):
        def on_epoch_ends(self, event): ...

        def on_fit_end(self): ...

    with pytest.raises(ConfigError) as caught:
        sensorium.fit("no such table.csv", "y", callbacks=[Typo()], progress=False)
    assert [fault.finding for fault in caught.value.faults] == [
        "no event calls Typo.on_epoch_ends",
        "Typo.on_fit_end does not take the event",
    ] or [fault.finding for fault in caught.value.faults][::-1]
