"""One file a source of models: stimuli in, one `Representation` a layer out.

The contract of a source, that is of every public module of this room:

- `VERSION`: a whole number, raised by hand when the same model gives other numbers than before;
- `Options`: the keys that its roster lines take beside `model`, an unknown one being refused;
- `load(address, options, stimuli, reading) -> Model`: cheap. `Model.identity` names all that decides the features and
  costs no forward pass, so that the store can be asked first; `Model.represent()` builds the network, reads it, and
  gives the layers in forward order with their facts (`depth` = (i + 1) / N, `index`, `raw_width`, how pooled).

`ensure` runs here because this file runs before any adapter's own imports.
"""

from homoplasy.models._torchvision import ensure

ensure()
