"""The language models that are trained here: from a configuration, with the words of their captions as tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerBase

from homoplasy.errors import BadRequest, nearest
from homoplasy.models import _prompts
from homoplasy.models._seeded import seeded

IGNORED = -100  # the label that torch's cross-entropy leaves out
TEMPLATE: _prompts.Template = "chat"


@dataclass(frozen=True)
class Text:
    """The tokens of one text, and the first of each stretch [start, stop) that is to be learned."""

    tokens: tuple[int, ...]
    learned: tuple[slice, ...]


def words(captions: Sequence[str]) -> list[str]:
    """The words of these captions that the tokenizer of a run has a token for, sorted."""
    known = _prompts.word_tokenizer(captions)
    return sorted(set(known.get_vocab()) - set(known.all_special_tokens))


def tokenizer(config: Mapping[str, Any]) -> PreTrainedTokenizerBase:
    """The tokenizer of a run, made again from its words."""
    return _prompts.word_tokenizer(config["words"])


def texts(tokenizer: PreTrainedTokenizerBase, captions: Sequence[Sequence[str]]) -> list[Text]:
    """One text a picture: the study's question around its first caption, and its second caption as the answer.

    Learned are the captions and the end of the answer, not the question, which is always the same.
    """
    asked = _prompts.encode(tokenizer, [own[0] for own in captions], TEMPLATE)
    found = []
    for prompt, own in zip(asked, captions, strict=True):
        told = own[1] if len(own) > 1 else ""
        answer = tokenizer(f"{told}{tokenizer.eos_token}", add_special_tokens=False)["input_ids"]
        tokens = (*prompt.tokens, *answer)
        found.append(Text(tokens, (prompt.caption, slice(len(prompt.tokens), len(tokens)))))
    return found


def batch(chosen: Sequence[Text], padding: int) -> dict[str, Tensor]:
    """Tokens padded on the right, and their labels: the token itself where it is learned."""
    longest = max(len(text.tokens) for text in chosen)
    tokens = torch.full((len(chosen), longest), padding)
    labels = torch.full_like(tokens, IGNORED)
    mask = torch.zeros_like(tokens)
    for row, text in enumerate(chosen):
        tokens[row, : len(text.tokens)] = torch.tensor(text.tokens)
        mask[row, : len(text.tokens)] = 1
        for stretch in text.learned:
            labels[row, stretch] = tokens[row, stretch]
    return {"input_ids": tokens, "attention_mask": mask, "labels": labels}


def build(config: Mapping[str, Any]) -> nn.Module:
    """The causal model of a run, with the weights of its step 0."""
    name, options = config["architecture"], dict(config["options"])
    if name not in CONFIG_MAPPING:
        raise BadRequest(f"transformers knows no type of model called '{name}'.{nearest(name, CONFIG_MAPPING)}")
    vocabulary = len(tokenizer(config))
    ends = {f"{kind}_token_id": None for kind in ("bos", "eos", "pad")}
    with seeded(config["seed"]):
        try:
            settings = AutoConfig.for_model(name, vocab_size=vocabulary, use_cache=False, **ends, **options)
            return AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
        except (ValueError, TypeError, StrictDataclassError) as refusal:
            why = " ".join(str(refusal).split()).rstrip(".!")
            raise BadRequest(f"transformers does not build '{name}' with the options {options}: {why}.") from None
