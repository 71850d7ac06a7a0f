"""Table of templates. A table for another language has the same keys and fields."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sensorium.wording._english_evaluation import EVALUATION
from sensorium.wording._english_reports import REPORTS

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        **REPORTS,
        **EVALUATION,
        "and": " and ",
        "title.single": "{name} alone",
        "title.fusion": "{name} fusion",
        "title.baseline": "the baseline {name}",
        "title.blend": "the blend",
        "gain.points": "{value:+.1f} points {metric}",
        "gain.value": "{value:+.3g} {metric}",
        "interval.points": "95% interval {low:.1f} to {high:.1f}",
        "interval.value": "95% interval {low:.3g} to {high:.3g}",
        "gains": "gains {gain} over {other} ({interval})",
        "loses": "loses {loss} against {other} ({interval})",
        "slower": "trains {times:.1f}× slower",
        "faster": "trains {times:.1f}× faster",
        "verdict.helps": "Fusion helps here: {fused} {gain} and {speed}.",
        "verdict.uncorrected": "{sentence} The p-value of the table, corrected for all of its gains, is {p:.3f}. The "
        "verdict needs no correction: it compares models that were chosen on the validation rows.",
        "verdict.does_not_help": "Fusion does not help here: {fused} {gain}.",
        "verdict.hurts": "Fusion hurts here: {fused} {gain}.",
        "verdict.undefined": "The metric {metric} is not defined on these rows: {fused} and {single} cannot be "
        "compared.",
        "verdict.unbeaten": "{sentence} It is not shown to beat every modality: it {gain}.",
        "verdict.corrected": "{sentence} It is not shown to beat {other}: {choices} models were compared on the same "
        "folds, and the p-value times their number is {p:.3f}.",
        "verdict.chosen": "{sentence} Several modalities may be as good. The best of these on the validation rows is "
        "{other}.",
        "verdict.quicker": "{sentence} A faster model is {other}. It {speed} and is not shown to be worse: it {gain}.",
        "verdict.baseline": "{sentence} A classical model does better: {other} {gain}.",
        "verdict.blend": "{sentence} The blend of a network and classical models is better on the validation rows. "
        "On the test rows, it {gain}.",
        "verdict.blend_worse": "{sentence} The blend of a network and classical models {gain}.",
        "verdict.blend_not_better": "{sentence} The blend of a network and classical models is not better on the "
        "validation rows. On the test rows, it {gain}.",
        "verdict.use": "{sentence} Use {recommended}.",
        "verdict.seeds": "{sentence} All figures are means of {seeds} seeds.",
        "blend.members": "blend of {members}: {metric} {value:.4g}, estimated on {judged:,} rows by models and weights "
        "that were fitted on other rows ({how}){single}. {best} has the lowest {metric} of all models on these rows, "
        "{alone:.4g}; they chose it, so this is optimistic",
        "blend.single": "; a single model, chosen in the same way, has {value:.4g}",
        "blend.member": "{name} ({weight:.0%})",
        "blend.one": "no blend: {name} alone does best, with {metric} {value:.4g}, estimated on {judged:,} rows by "
        "models that were fitted and chosen on other rows ({how}){others}",
        "blend.others": ". On all of these rows, which chose it, it has {own:.4g}; the others: {others}",
        "blend.same": ". The others on these rows: {others}",
        "blend.other": "{name} {value:.4g}",
        "blend.modality": "{sentence}. The other modalities do not help: {metric} is {alone:.4g} with {name} alone and "
        "{together:.4g} with all modalities, so only {name} is used. These rows made this choice, so the lower figure "
        "is a little optimistic",
        "verdict.folds": "{sentence} All figures are means of {folds} folds.",
        "verdict.repeats": "{sentence} All figures are means of {folds} folds, repeated {repeats} times.",
        "diagnosis.nothing": "no modality alone is better than chance ({chance:.3g} {metric}) in the fused model",
        "diagnosis.even": "no modality leads: each of them alone gives the fused model at least half of the gain over "
        "chance that {leads!r}, the best one, gives",
        "diagnosis.uneven": "{leads!r} leads: the fused model reaches {best:.3g} {metric} with it alone, and {others} "
        "(chance: {chance:.3g})",
        "diagnosis.other": "{value:.3g} with {name!r} alone",
        "diagnosis.overfitting": "{sentence}; modalities that overfit more than they generalize: {names}",
        "diagnosis.overfit": "{name!r} (ratio {ratio:.2g})",
        "diagnosis.ask": "{sentence}; --check-imbalance trains each modality alone and shows whether it is "
        "undertrained",
        "imbalance.modality": "{name!r} reaches {fused:.3g} {metric} alone in the fused model and {alone:.3g} when it "
        "is trained alone",
        "imbalance.undertrained": "on all validation rows, plain training undertrains a modality: {modalities}",
        "imbalance.weak": "on all validation rows, a modality is weak by nature, but not undertrained: {modalities}; "
        "no mitigation is needed",
        "imbalance.balanced": "on all validation rows, plain training balances the modalities: {modalities}; no "
        "mitigation is needed",
        "imbalance.failed": "{sentence}; unknown for {names}, because training each of them alone failed",
        "imbalance.plain": "{sentence}; plain training is kept",
        "imbalance.no_better": "{sentence}; no mitigation has a better validation metric than plain training "
        "({plain:.4g} {metric}), which is kept",
        "imbalance.kept": "{sentence}; {chosen} is kept: it reaches {best:.4g} {metric} on the validation rows (plain "
        "training: {plain:.4g}); on the {rows} rows the difference is {value:+.4f} {metric} (95% interval {low:+.4f} "
        "to {high:+.4f}, p {p:.3f})",
        "restart.none": "the network predicts a constant: next to the same for every row. It was not trained again. "
        "Another train.learning_rate may help, or the columns say nothing about the target",
        "restart.failed": "the network predicts a constant: next to the same for every row. Training it again with "
        "learning rate {rate:g} failed ({failure})",
        "restart.first": "the network predicts a constant: next to the same for every row. Trained again with learning "
        "rate {rate:g}, it was no better (validation loss {second:.4g} instead of {first:.4g}): perhaps the columns "
        "say nothing about the target",
        "restart.still": "the network predicts a constant, also after it was trained again with learning rate "
        "{rate:g} (validation loss {second:.4g} instead of {first:.4g}): perhaps the columns say nothing about the "
        "target",
        "restart.second": "the network predicted a constant; trained again with learning rate {rate:g}: validation "
        "loss {second:.4g} instead of {first:.4g}",
        "tuning.figures": "{gain}, {interval}",
        "tuning.failed": "fine-tuning the encoders failed ({failure}); the frozen ones are kept",
        "tuning.undefined": "{metric} is not defined on the validation rows, so the gain of fine-tuning the "
        "encoders is unknown; the frozen ones are kept",
        "tuning.no": "fine-tuning the encoders does not pay off ({figures}); the frozen ones are kept",
        "tuning.yes": "fine-tuning the encoders pays off: {figures}",
        "tuning.perhaps": "fine-tuning the encoders may pay off, but the interval includes 0: {figures}; the tuned "
        "ones are kept",
        "calibration.target": "{name}: {sentence}",
        "calibration.off": "probabilities are not calibrated",
        "calibration.on": "probabilities are calibrated by temperature {temperature}",
        "calibration.few_rows": "probabilities are not calibrated: {rows} validation rows are too few "
        "({needed} or more are needed)",
        "calibration.few_groups": "probabilities are not calibrated: the validation rows are of {groups} groups only "
        "({needed} or more are needed)",
        "calibration.one_class": "probabilities are not calibrated: the {rows} validation rows have a single class",
        "calibration.at_bound": "{sentence}: the best temperature, {fitted}, is at the bound of the search, so the "
        "validation rows do not determine it",
        "calibration.no_gain": "{sentence}: temperature {fitted} is not shown to lower the log loss on validation "
        "rows that did not fit it (gain {gain}; a gain above 0 is a lower loss)",
        "calibration.gain": "{sentence}, which lowers the log loss on validation rows that did not fit it (gain "
        "{gain})",
        "calibration.above_prior": "{sentence}: without it, the log loss on the validation rows is above that of the "
        "class frequencies",
        "calibration.prior_share": "{sentence}, and mixed with the class frequencies (share {share:.2f}): without "
        "that, the log loss on the validation rows is above that of the class frequencies",
        "calibration.members": "probabilities of the members are calibrated by the temperatures {temperature}",
        "calibration.no_common_gain": "{sentence}; a further temperature of {fitted} for all members is not shown to "
        "lower the log loss on validation rows that did not fit it (gain {gain}; a gain above 0 is a lower loss)",
        "calibration.common_gain": "{sentence}; the factor of {fitted} for all members, which they include, lowers "
        "the log loss on validation rows that did not fit it (gain {gain})",
        "calibration.mean_gain": "{sentence}; a further temperature of {fitted} for their mean lowers the log loss on "
        "validation rows that did not fit it (gain {gain})",
        "conformal.target": "{name}: {sentence}",
        "conformal.sets": "{level:.0%} prediction sets ({method}, {source}){tested}",
        "conformal.intervals": "{level:.0%} prediction intervals ({method}, {source}){tested}",
        "conformal.validation": "from {rows:,} validation rows, which chose the epoch as well",
        "conformal.held_out": "from {rows:,} validation rows that chose neither epoch nor weights",
        "conformal.out_of_fold": "from {rows:,} rows that were predicted out of fold",
        "conformal.few_rows": "{sentence}; there are too few rows for the score {asked}",
        "conformal.groups": "{source}, of {groups:,} groups",
        "conformal.by_time": "{source}; the split is by time, so coverage holds only if later rows are like these",
        "conformal.tested_sets": ": {coverage:.1%} ({low:.1%} to {high:.1%}) of {rows:,} test rows have their truth in "
        "the set, of {size:.2f} on average",
        "conformal.tested_intervals": ": {coverage:.1%} ({low:.1%} to {high:.1%}) of {rows:,} test rows have their "
        "truth in the interval, which is {size:.4g} wide on average",
        "calibration.interval": "{value:+.4f}, 95% interval {low:+.4f} to {high:+.4f}",
        "calibration.changes": "{sentence}; on the test rows: {changes}",
        "calibration.change": "{metric} {before:.4f} → {after:.4f}",
    }
)
