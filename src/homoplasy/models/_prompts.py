"""The question of the study around every caption, as the tokens that a language model reads."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from homoplasy.errors import WorkFailed

# The sentence is the paper's (Shen et al. 2025, Methods); the break before the quoted caption is its code's.
SENTENCE = "Consider the image described by the following sentences:"
BREAK = " \n\n"
Template = Literal["chat", "plain", "bare"]  # bare: the caption alone
# The day that the templates of Llama 3 fall back on; theirs and others' would else put in today's.
DAY = datetime.date(2024, 7, 26)

_CLOCK = re.compile(r"strftime_now\(\s*(['\"])(.*?)\1\s*\)")
_SPECIAL = {"unk_token": "<unk>", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
_ROLES = ["<user>", "<assistant>"]
_CHAT = (
    "{{ bos_token }}{% for message in messages %}<{{ message['role'] }}> {{ message['content'] }} {{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


@dataclass(frozen=True)
class Prompt:
    """The tokens of one prompt, and the slice of them that holds the caption."""

    tokens: tuple[int, ...]
    caption: slice


def encode(tokenizer: PreTrainedTokenizerBase, captions: Sequence[str], template: Template) -> list[Prompt]:
    """Put every caption into the template, once, and tokenise; nothing is added that the template does not hold."""
    if template == "chat" and not tokenizer.chat_template:
        raise WorkFailed("its tokenizer has no chat template; set 'template: plain' in its roster line to do without.")
    prompts = [_encode(tokenizer, caption, template) for caption in captions]
    if template == "chat" and len({prompt.tokens[-1] for prompt in prompts}) > 1:
        raise WorkFailed("its prompts do not end on one token: the chat template does not open the assistant's turn.")
    return prompts


def render(tokenizer: PreTrainedTokenizerBase, caption: str, template: Template) -> str:
    """The text of a prompt: a user's turn, and the assistant's opened."""
    before, after = _around(template)
    asked = f"{before}{caption}{after}"
    if template != "chat":
        return f"{tokenizer.bos_token or ''}{asked}"
    turn = [{"role": "user", "content": asked}]
    return str(
        tokenizer.apply_chat_template(
            turn, chat_template=dated(tokenizer.get_chat_template()), tokenize=False, add_generation_prompt=True
        )
    )


def dated(template: str) -> str:
    """A chat template whose every question for the date is answered with the same day, today or in ten years.

    >>> dated("Today: {{ strftime_now('%d %b %Y') }}")
    "Today: {{ '26 Jul 2024' }}"
    """
    pinned = _CLOCK.sub(lambda asked: repr(DAY.strftime(asked[2])), template)
    if "strftime_now(" in pinned:
        raise WorkFailed(
            "its chat template puts in today's date in a way that cannot be pinned; use 'template: plain'."
        )
    return pinned


def _around(template: Template) -> tuple[str, str]:
    return ("", "") if template == "bare" else (f"{SENTENCE}{BREAK}'", "'")


def _encode(tokenizer: PreTrainedTokenizerBase, caption: str, template: Template) -> Prompt:
    if not caption.strip():
        raise WorkFailed("one of the captions is empty; a language model has nothing to read in it.")
    text = render(tokenizer, caption, template)
    encoded: Any = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    tokens, bos = encoded["input_ids"], tokenizer.bos_token_id
    if bos is not None and tokens[:2] == [bos, bos]:
        raise WorkFailed("its prompts begin with two BOS tokens; the template was applied twice.")
    before, after = _around(template)
    found = text.rfind(f"{before[-1:]}{caption}{after}")
    if found < 0:
        raise WorkFailed(f"its chat template changes the caption '{caption}', so its tokens cannot be told.")
    start = found + len(before[-1:])
    inside = [
        place
        for place, (first, last) in enumerate(encoded["offset_mapping"])
        if first < start + len(caption) and last > start and last > first
    ]
    return Prompt(tuple(tokens), slice(inside[0], inside[-1] + 1))


def word_tokenizer(captions: Sequence[str]) -> PreTrainedTokenizerFast:
    """A word-level tokenizer for models built from configuration: the words of these captions, sorted."""
    split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    texts = [SENTENCE, "'", *captions]
    words = sorted({word for text in texts for word, _ in split.pre_tokenize_str(text.lower())})
    vocabulary = {word: place for place, word in enumerate([*_SPECIAL.values(), *_ROLES, *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=_SPECIAL["unk_token"]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = split
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=_CHAT, additional_special_tokens=_ROLES, **_SPECIAL
    )
