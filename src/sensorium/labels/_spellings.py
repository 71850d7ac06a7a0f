"""Find the spellings of one label: they differ by blanks, or by case."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from sensorium.findings import count
from sensorium.labels.case import ONE_LABEL, case_twins, twins_in_words
from sensorium.labels.values import bare


def usual_spellings(labels: Counter[str], fold: Callable[[str], str]) -> tuple[dict[str, str], Counter[str]]:
    """Return spelling → the most frequent spelling of the same label, and the spellings that differ by blanks only."""
    alike: dict[str, list[str]] = defaultdict(list)
    for text in sorted(labels):
        alike[fold(bare(text))].append(text)
    spelt, blanks = dict[str, str](), Counter[str]()
    rows = Counter[str]()
    for text, number in labels.items():
        rows[bare(text)] += number
    for texts in alike.values():
        usual = max(texts, key=lambda text: (rows[bare(text)], labels[text], text == bare(text)))
        spelt |= {text: usual for text in texts if text != usual}
        blanks |= Counter({t: labels[t] for t in texts if t != usual and bare(t) == bare(usual)})
    return spelt, blanks


def case_only_twins(labels: Counter[str], spelt: Mapping[str, str]) -> dict[str, int]:
    """Report labels that differ only in case from another one, with their rows."""
    usual = Counter[str]()
    for text, number in labels.items():
        usual[spelt.get(text, text)] += number
    return case_twins(usual)


def about_blanks(blanks: Counter[str]) -> list[str]:
    example = blanks.most_common(1)[0][0]
    reason = f"{count(blanks.total(), 'label')} such as {example!r} differ from others only by blanks or invisible"
    return [f"{reason} characters, which are ignored", ""]


def about_case(twins: Mapping[str, int]) -> list[str]:
    return [twins_in_words(twins, "labels", "row"), ONE_LABEL]
