"""Scikit-learn estimators, for pipelines, cross-validation and hyperparameter search."""

from sensorium.sklearn._estimators import MultimodalClassifier, MultimodalRegressor

__all__ = ["MultimodalClassifier", "MultimodalRegressor"]
