"""Experiments: a training run put together from its configuration, cross-validation, and grids of runs."""
