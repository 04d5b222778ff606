"""Measures of likeness between two representations of the same stimuli."""

from homoplasy.measures._contract import Comparison, Footprint, Geometry, Measure, Points, Prepared
from homoplasy.measures.cka import CKA
from homoplasy.measures.neighbours import CycleKNN, MutualKNN
from homoplasy.measures.procrustes import Procrustes
from homoplasy.measures.rsa import RSA

__all__ = [
    "CKA",
    "RSA",
    "Comparison",
    "CycleKNN",
    "Footprint",
    "Geometry",
    "Measure",
    "MutualKNN",
    "Points",
    "Prepared",
    "Procrustes",
]
