"""What a model is made of, from its address alone."""

from homoplasy.errors import BadRequest
from homoplasy.models._contract import Outline
from homoplasy.models._roster import entry


def layers_of(address: str) -> Outline:
    """The layers of `timm:resnet18` or `transformers:owner/name`, in forward order; no weights are read."""
    outline = entry({"model": address}, "the address").outline()
    if outline is None:
        raise BadRequest(
            f"'{address}' shows its layers only when it reads stimuli; ask for one of timm or transformers."
        )
    return outline
