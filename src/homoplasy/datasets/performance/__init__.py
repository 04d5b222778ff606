"""How well models perform, as others measured it: published tables in their own layouts, joined to the models at hand.

One file a kind of table; each gives a `Found`, and `known.join` brings them to the models of a roster.
"""
