"""Language models: one BOS, the template once, the right token, independent of padding."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers.models import BPE

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _hub, _language, _prompts
from homoplasy.models._roster import entry

CONFIG = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3}
LINE = ("transformers:gpt_neox.random-1", {"config": CONFIG})
GROUPED = CONFIG | {"num_key_value_heads": 2}
KINDS = {  # every type of the rosters' language models; Yi, DeepSeek, SmolLM and Tulu are llama
    "gpt_neox": CONFIG,
    "llama": GROUPED,
    "qwen2": GROUPED,
    "qwen3": GROUPED | {"head_dim": 8},
    "gemma": GROUPED | {"head_dim": 8},
    "gemma2": GROUPED | {"head_dim": 8, "sliding_window": 4},
    "mistral": GROUPED | {"sliding_window": 4},
    "phi3": GROUPED | {"pad_token_id": 1},
    "olmo2": GROUPED,
    "gpt2": {"n_embd": 32, "n_head": 4, "n_layer": 3},
}
READOUTS = ["last", "last_caption_token", "caption_mean", "bare"]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def arrays(model):
    return {one.address: one.values for one in model.represent()[0]}


@pytest.fixture(scope="module")
def pieces(stimuli):
    """A byte-level BPE tokenizer with a chat template, such as the models of the rosters have."""
    from transformers import PreTrainedTokenizerFast

    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator([_prompts.SENTENCE, *stimuli.captions] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=TEMPLATE
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_padded_batch_equals_single_prompts_on_either_side(load, kind):
    line = {"config": KINDS[kind]}
    for readout in ("last", "caption_mean"):
        single = arrays(load(f"transformers:{kind}.random-1", line, readout=readout, batch_size=1))
        assert len(single) == 3
        for side in ("right", "left"):
            padded = arrays(load(f"transformers:{kind}.random-1", line | {"padding": side}, readout=readout))
            assert max(abs(single[name] - padded[name]).max() for name in single) <= 1e-4
        finite = (np.isfinite(one).all() and one.dtype == np.float32 for one in single.values())
        assert all(finite)
        assert all(np.ptp(one, 0).any() for one in single.values())


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_states_are_those_of_transformers_and_blocks_are_the_same_before_the_norm(load, kind):
    line = (f"transformers:{kind}.random-1", {"config": KINDS[kind]})
    model = load(*line, states="hidden_states", batch_size=1)
    tokenizer = model.tokenizer()
    prompt = _prompts.encode(tokenizer, model.stimuli.captions[:1], "chat")[0]
    with torch.inference_mode():
        output = model.network(len(tokenizer))(torch.tensor([prompt.tokens]), output_hidden_states=True)
    layers = model.represent()[0]
    assert [one.facts["depth"] for one in layers] == [0, 1 / 3, 2 / 3, 1]
    assert [one.facts["index"] for one in layers] == [-1, 0, 1, 2]
    for ours, expected in zip(layers, output.hidden_states, strict=True):
        np.testing.assert_allclose(ours.values[0], expected[0, -1].numpy(), atol=1e-5)
    np.testing.assert_allclose(layers[-1].values[0], output.last_hidden_state[0, -1].numpy(), atol=1e-5)
    blocks = arrays(load(*line))
    assert list(blocks) == [one.address for one in layers[1:]]
    for one in layers[1:-1]:
        np.testing.assert_allclose(one.values, blocks[one.address], atol=1e-4)
    assert abs(layers[-1].values - blocks[layers[-1].address]).max() > 1e-3


def test_the_chosen_token_is_the_one_that_a_hand_finds(pieces):
    (prompt,) = _prompts.encode(pieces, ["a red ball."], "chat")
    spelled = pieces.convert_ids_to_tokens(list(prompt.tokens))
    assert spelled[:2] == ["<s>", "<|user|>"]
    assert spelled[-4:] == ["<|end|>", "\u010a", "<|assistant|>", "\u010a"]  # the line break closes the header
    quotes = [place for place, piece in enumerate(spelled) if "'" in piece]
    assert len(quotes) == 2
    assert "".join(spelled[prompt.caption]).strip("'") == "a\u0120red\u0120ball."
    assert prompt.caption.start - quotes[0] in (0, 1)  # 0: the quote and the first letter are one piece
    assert quotes[1] - prompt.caption.stop in (-1, 0)
    hidden = torch.arange(2.0 * len(prompt.tokens)).reshape(1, -1, 2)
    batch = _language.Batch([prompt], 0, "right")
    assert batch.read(hidden, "last").tolist() == hidden[:, -1].tolist()
    assert batch.read(hidden, "last_caption_token").tolist() == hidden[:, prompt.caption.stop - 1].tolist()
    assert batch.read(hidden, "caption_mean").tolist() == hidden[:, prompt.caption].mean(1).tolist()
    (alone,) = _prompts.encode(pieces, ["a red ball."], "bare")
    assert pieces.decode(alone.tokens) == "<s>a red ball."
    assert alone.caption == slice(1, len(alone.tokens))


def test_a_network_with_pieces_reads_the_same_on_either_side(load, stimuli, pieces):
    from homoplasy.models._contract import Reading

    network = load("transformers:llama.random-1", {"config": GROUPED}).network(len(pieces))
    for readout in READOUTS:
        prompts = _prompts.encode(pieces, stimuli.captions, "bare" if readout == "bare" else "chat")
        found = [
            _language.represent(network, prompts, 0, stimuli, Reading("patch_mean", readout, size), side)
            for size, side in ((1, "right"), (6, "right"), (4, "left"))
        ]
        for layers in zip(*found, strict=True):
            for other in layers[1:]:
                np.testing.assert_allclose(layers[0].values, other.values, atol=1e-4)


@pytest.mark.parametrize("readout", READOUTS)
def test_every_readout_gives_other_states_and_says_which_token_it_took(load, stimuli, readout):
    layers, facts = load(*LINE, readout=readout).represent()
    assert facts["template"] == ("bare" if readout == "bare" else "chat")
    assert all(one.facts["readout"] == readout for one in layers)
    token = load(*LINE).tokenizer().convert_tokens_to_ids("<assistant>")
    assert layers[0].facts["readout_token"] == (token if readout == "last" else None)
    for other in set(READOUTS) - {readout}:
        same = arrays(load(*LINE, readout=other))
        assert abs(layers[1].values - same[layers[1].address]).max() > 1e-3


@pytest.mark.parametrize("readout", ["last_caption_token", "bare"])
def test_the_token_is_told_where_all_captions_end_on_it(load, stimuli, readout):
    model = load(*LINE, readout=readout)
    same = dataclasses.replace(stimuli, captions=[f"{words} dog" for words in stimuli.captions])
    model = dataclasses.replace(model, stimuli=same)
    assert model.represent()[0][0].facts["readout_token"] == model.tokenizer().convert_tokens_to_ids("dog")


def test_too_little_memory_halves_the_batch_and_gives_the_same(load, monkeypatch, capsys):
    whole = arrays(load(*LINE, batch_size=6))
    states = _language.after_blocks

    def cramped(network, batch, readout):
        if len(batch.prompts) > 2:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 GB")
        return states(network, batch, readout)

    monkeypatch.setitem(_language.STATES, "blocks", cramped)
    found = arrays(load(*LINE, batch_size=6))
    assert "not enough memory; 1 at a time from here on" in capsys.readouterr().err
    for name, values in whole.items():
        np.testing.assert_allclose(found[name], values, atol=1e-4)


def test_the_date_of_a_template_is_always_the_same(pieces):
    chat = (
        "{%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = "
        "strftime_now(\"%d %b %Y\") %}{%- else %}{%- set date_string = '26 Jul 2024' %}{%- endif %}{%- endif %}"
        "Today Date: {{ date_string }}\n\n{{ messages[0]['content'] }}{{ strftime_now( '%Y-%m-%d' ) }}"
    )
    pieces = copy.deepcopy(pieces)
    pieces.chat_template = chat
    text = _prompts.render(pieces, "a dog", "chat")
    assert text.startswith("Today Date: 26 Jul 2024\n\nConsider")
    assert text.endswith("'a dog'2024-07-26")
    pieces.chat_template = "{% set form = '%Y' %}{{ strftime_now(form) }}"
    with pytest.raises(WorkFailed, match="today's date in a way that cannot be pinned"):
        _prompts.render(pieces, "a dog", "chat")


def test_each_prompt_has_one_bos_and_ends_on_the_same_token(load, stimuli):
    tokenizer = load(*LINE).tokenizer()
    prompts = _prompts.encode(tokenizer, stimuli.captions, "chat")
    for prompt in prompts:
        assert prompt.tokens[0] == tokenizer.bos_token_id
        assert prompt.tokens.count(tokenizer.bos_token_id) == 1
    assert {tokenizer.decode(prompt.tokens[-1]) for prompt in prompts} == {"<assistant>"}
    assert load(*LINE).represent()[0][0].facts["readout_token"] == prompts[0].tokens[-1]


def test_the_prompt_is_the_papers(load):
    tokenizer = load(*LINE).tokenizer()
    text = _prompts.render(tokenizer, "a red ball.", "chat")
    sentence = "Consider the image described by the following sentences:"
    assert text == f"<s><user> {sentence} \n\n'a red ball.' </s><assistant>"
    assert _prompts.render(tokenizer, "a red ball.", "plain") == f"<s>{sentence} \n\n'a red ball.'"


def test_the_caption_is_where_it_is_said_to_be(load, stimuli):
    tokenizer = load(*LINE).tokenizer()
    for caption, prompt in zip(stimuli.captions, _prompts.encode(tokenizer, stimuli.captions, "chat"), strict=True):
        words = tokenizer.decode(prompt.tokens[prompt.caption]).replace(" ", "")
        assert words == caption.replace(" ", "").lower()


def test_the_rows_come_back_in_their_order(load, stimuli):
    model = load(*LINE)
    whole = arrays(model)
    alone = dataclasses.replace(
        model, stimuli=dataclasses.replace(stimuli, ids=stimuli.ids[1:2], captions=stimuli.captions[1:2])
    )
    object.__setattr__(alone, "tokenizer", model.tokenizer)
    for name, values in arrays(alone).items():
        np.testing.assert_allclose(values[0], whole[name][1], atol=1e-4)


def test_two_bos_are_refused(load, stimuli):
    tokenizer = load(*LINE).tokenizer()
    tokenizer.chat_template = "{{ bos_token }}" + tokenizer.chat_template
    with pytest.raises(WorkFailed, match="begin with two BOS tokens"):
        _prompts.encode(tokenizer, stimuli.captions, "chat")


def test_a_template_that_opens_no_answer_is_refused(load, stimuli):
    tokenizer = load(*LINE).tokenizer()
    tokenizer.chat_template = "{{ messages[0]['content'] }} {{ messages[0]['content'].split(\"'\")[1] }}"
    with pytest.raises(WorkFailed, match="does not open the assistant's turn"):
        _prompts.encode(tokenizer, ["ball", "tree"], "chat")


def test_a_template_that_changes_the_caption_is_refused(load):
    tokenizer = load(*LINE).tokenizer()
    tokenizer.chat_template = "{{ messages[0]['content'] | upper }}"
    with pytest.raises(WorkFailed, match="changes the caption 'a ball'"):
        _prompts.encode(tokenizer, ["a ball"], "chat")


def test_a_tokenizer_without_template_is_told_how_to_do_without(load, stimuli):
    tokenizer = load(*LINE).tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(WorkFailed, match="set 'template: plain' in its roster line"):
        _prompts.encode(tokenizer, stimuli.captions, "chat")


def test_code_of_a_model_is_not_run_unless_both_roster_and_user_say_so(load):
    line = ("transformers:internlm/internlm2_5-20b-chat", {"remote_code": True})
    with pytest.raises(WorkFailed, match=r"if you trust it, write in local.yaml: remote_code: \['internlm"):
        load(*line)
    allowed = load(*line, code_allowed=frozenset({"internlm/internlm2_5-20b-chat"}))
    assert allowed.options.remote_code


def test_a_model_of_the_hub_that_cannot_be_had_is_one_sentence(load):
    with pytest.raises(WorkFailed, match="'Qwen/Qwen2.5-0.5B-Instruct' is not in the local cache"):
        _ = load("transformers:Qwen/Qwen2.5-0.5B-Instruct").identity


def test_a_gated_model_says_so_before_the_hub_does(load):
    with pytest.raises(
        WorkFailed, match=r"It is gated: accept its licence at https://huggingface.co/google/gemma-2b-it"
    ):
        _ = load("transformers:google/gemma-2b-it", {"gated": True}).identity


@pytest.mark.parametrize("name", ["gpt_neo_nonsense.random-1", "gpt2", "a/b@", "a/b@c@d", "a b/c"])
def test_an_address_that_names_nothing_is_refused(load, name):
    with pytest.raises(BadRequest, match=r"no type of model called 'gpt_neo_nonsense'|expected 'transformers:owner"):
        load(f"transformers:{name}")


def test_a_revision_is_named_once_in_the_address_or_in_the_line(load):
    assert load("transformers:a/b").revision is None
    assert load("transformers:a/b", {"revision": "v1"}).revision == "v1"
    assert load("transformers:a/b@0123abc").revision == "0123abc"
    with pytest.raises(BadRequest, match="names a revision, and its line another one"):
        load("transformers:a/b@main", {"revision": "v1"})


def test_the_outline_is_what_the_network_gives(load):
    model = load(*LINE)
    layers, facts = model.represent()
    outline = model.outline()
    assert outline.widths == {one.address: one.n_units for one in layers}
    assert outline.modality == "language"
    words = len(model.tokenizer())
    assert outline.parameters == facts["parameters"] - (words - 2) * CONFIG["hidden_size"]


def test_a_network_of_unknown_layout_is_refused(load):
    model = load(*LINE)
    network = model.network(20)
    network.config.num_hidden_layers = 5
    with pytest.raises(WorkFailed, match="expected one list of 5 blocks in the network, found 0"):
        _language.blocks(network)


@pytest.fixture
def hub(load, monkeypatch, tmp_path):
    """A folder that stands for the hub; gives the way to put a model into it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_hub, "file", lambda *_, **__: tmp_path / "snapshots" / "0123abcd" / "config.json")

    def put(dtype):
        built = load(*LINE)
        built.network(len(built.tokenizer())).to(dtype).save_pretrained(tmp_path / "owner" / "name")
        built.tokenizer().save_pretrained(tmp_path / "owner" / "name")
        return built

    return put


@pytest.mark.parametrize(
    ("saved", "asked", "read"),
    [
        ("float32", "auto", "float32"),
        ("float16", "auto", "float32"),
        ("bfloat16", "auto", "bfloat16"),
        ("float16", "float16", "float16"),
        ("bfloat16", "float32", "float32"),
    ],
)
def test_a_model_of_the_hub_is_read_in_the_precision_that_it_was_trained_in(load, hub, saved, asked, read):
    expected = arrays(hub(getattr(torch, saved)))
    model = load("transformers:owner/name", {"dtype": asked})
    assert model.identity["weights"] == {"commit": "0123abcd"}
    layers, facts = model.represent()
    assert (facts["dtype"], facts["commit"]) == (read, "0123abcd")
    for one in layers:
        assert one.values.dtype == np.float32
        np.testing.assert_allclose(one.values, expected[one.address], atol=0.02 if "16" in saved + read else 1e-4)


def test_a_step_of_a_training_run_is_told(load, hub):
    hub(torch.float32)
    facts = load("transformers:owner/name@step3000").represent()[1]
    assert (facts["run"], facts["step"], facts["weights"]) == ("owner/name", 3000, "raw")
    assert not {"run", "step"} & set(load("transformers:owner/name@main").represent()[1])


@pytest.mark.parametrize("saved", ["float32", "float16", "bfloat16"])
def test_an_untrained_twin_has_everything_of_the_hub_but_the_weights(load, hub, saved):
    trained = hub(getattr(torch, saved))
    twin = load("transformers:owner/name.random-1@step8")
    assert (twin.repository, twin.revision) == ("owner/name", "step8")
    assert twin.identity["weights"] == {"commit": "0123abcd", "random": 1}
    found, again = (arrays(load("transformers:owner/name.random-1")) for _ in range(2))
    assert found.keys() == arrays(trained).keys()
    assert all(np.array_equal(found[key], again[key]) for key in found)
    other = arrays(load("transformers:owner/name.random-2"))
    assert not any(np.array_equal(found[key], other[key]) for key in found)
    facts, own = (load(f"transformers:owner/name{end}").represent()[1] for end in (".random-1", ""))
    assert facts == own


def test_a_folder_that_lacks_its_weights_is_one_sentence(load, hub, tmp_path):
    hub(torch.float32)
    (tmp_path / "owner" / "name" / "model.safetensors").unlink()
    with pytest.raises(WorkFailed, match=r"transformers cannot read 'owner/name' \(.*model.safetensors"):
        load("transformers:owner/name").represent()


def test_a_line_that_says_another_width_is_refused_before_the_model_is_run(hub):
    hub(torch.float32)
    right = entry({"model": "transformers:owner/name", "width": 32, "depth": 3}, "a test")
    right.verify(frozenset())
    wrong = entry({"model": "transformers:owner/name", "width": 64}, "a test")
    with pytest.raises(WorkFailed, match="has width 64, its configuration says 32; mend the line"):
        wrong.verify(frozenset())
