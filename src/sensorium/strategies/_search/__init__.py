"""Hyperparameter search within a time budget."""
