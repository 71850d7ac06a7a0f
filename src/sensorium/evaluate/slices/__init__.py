"""Slices of rows: metrics of each, and a search for those with a higher loss."""

from sensorium.evaluate.slices.candidates import Candidates, list_candidates
from sensorium.evaluate.slices.clusters import cluster_rows, describe_clusters
from sensorium.evaluate.slices.columns import cut_column, no_slices
from sensorium.evaluate.slices.cuts import (
    OTHERS,
    PRESENT,
    Cut,
    cut_codes,
    cut_dates,
    cut_numbers,
    cut_present,
    cut_sets,
    cut_values,
)
from sensorium.evaluate.slices.losses import loss_name, row_losses
from sensorium.evaluate.slices.maxima import compare_slices
from sensorium.evaluate.slices.scores import compare_rows, score_cut, score_slice
from sensorium.evaluate.slices.search import MAX_P, WorstSlice, search_slices, worst_slices

__all__ = [
    "MAX_P", "OTHERS", "PRESENT", "Candidates", "Cut", "WorstSlice", "cluster_rows", "compare_rows", "compare_slices",
    "cut_codes", "cut_column", "cut_dates", "cut_numbers", "cut_present", "cut_sets", "cut_values", "describe_clusters",
    "list_candidates", "loss_name", "no_slices", "row_losses", "score_cut", "score_slice", "search_slices",
    "worst_slices",
]  # fmt: skip
