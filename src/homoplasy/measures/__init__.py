"""Measures of likeness between two representations of the same stimuli."""

from homoplasy.measures._contract import Comparison, Geometry, Measure, Points
from homoplasy.measures.cka import CKA

__all__ = ["CKA", "Comparison", "Geometry", "Measure", "Points"]
