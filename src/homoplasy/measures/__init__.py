"""Measures of likeness between two representations of the same stimuli."""

from homoplasy.measures._contract import ByGeometry, Comparison, Footprint, Geometry, Measure, Prepared
from homoplasy.measures.cka import CKA
from homoplasy.measures.cknna import CKNNA
from homoplasy.measures.neighbours import CycleKNN, MutualKNN
from homoplasy.measures.procrustes import Procrustes
from homoplasy.measures.rsa import RSA

__all__ = [
    "CKA",
    "CKNNA",
    "RSA",
    "ByGeometry",
    "Comparison",
    "CycleKNN",
    "Footprint",
    "Geometry",
    "Measure",
    "MutualKNN",
    "Prepared",
    "Procrustes",
]
