"""Convergence: whether likeness to the brain follows performance, and what of it chance would have given."""
