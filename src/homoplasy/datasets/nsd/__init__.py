"""The Natural Scenes Dataset and the pocket world, read by one adapter: every size comes from the files."""

from homoplasy.datasets.nsd.facts import FACTS
from homoplasy.datasets.nsd.tree import Tree, open_tree

__all__ = ["FACTS", "Tree", "open_tree"]
