"""Experiments: grids of models, conditions and seeds, what is asked of them, and their reports."""
