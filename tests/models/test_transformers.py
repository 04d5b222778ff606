"""Language models: one BOS, the template once, the right token, independent of padding."""

import dataclasses

import numpy as np
import pytest
import torch

from homoplasy.errors import BadRequest, WorkFailed
from homoplasy.models import _hub, _language, _prompts

CONFIG = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3}
LINE = ("transformers:gpt_neox.random-1", {"config": CONFIG})
KINDS = {
    "gpt_neox": CONFIG,
    "llama": CONFIG,
    "qwen2": CONFIG | {"num_key_value_heads": 2},
    "gpt2": {"n_embd": 32, "n_head": 4, "n_layer": 3},
    "gemma2": CONFIG | {"head_dim": 8, "num_key_value_heads": 2},
}


def arrays(model):
    return {one.address: one.values for one in model.represent()[0]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("readout", ["last", "caption_mean"])
def test_a_padded_batch_equals_single_prompts(load, kind, readout):
    line = (f"transformers:{kind}.random-1", {"config": KINDS[kind]})
    single, padded = (arrays(load(*line, readout=readout, batch_size=size)) for size in (1, 6))
    assert len(single) == 3
    assert max(abs(single[name] - padded[name]).max() for name in single) <= 1e-4
    assert all(np.isfinite(one).all() and one.dtype == np.float32 and np.ptp(one, 0).any() for one in single.values())


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


def test_the_caption_mean_is_the_mean_over_its_tokens():
    hidden = torch.arange(24.0).reshape(1, 6, 4)
    prompt = _prompts.Prompt(tuple(range(6)), slice(2, 4))
    expected = torch.stack([hidden[0, 2], hidden[0, 3]]).mean(0, keepdim=True)
    assert torch.equal(_language.caption_mean(hidden, [prompt]), expected)


def test_the_states_are_those_before_the_final_norm(load):
    model = load(*LINE, batch_size=1)
    tokenizer = model.tokenizer()
    prompts = _prompts.encode(tokenizer, model.stimuli.captions[:1], "chat")
    network = model.network(len(tokenizer))
    with torch.inference_mode():
        oracle = network(torch.tensor([prompts[0].tokens]), output_hidden_states=True)
        after_norm = oracle.hidden_states[-1][0, -1]
        ours = [torch.from_numpy(one[0]) for one in arrays(model).values()]
        normed = network.final_layer_norm(ours[-1])
    for state, expected in zip(ours[:-1], oracle.hidden_states[1:-1], strict=True):
        torch.testing.assert_close(state, expected[0, -1], atol=1e-5, rtol=0)
    torch.testing.assert_close(normed, after_norm, atol=1e-5, rtol=0)
    assert not torch.allclose(ours[-1], after_norm, atol=1e-3)


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


@pytest.mark.parametrize("name", ["gpt_neo_nonsense.random-1", "gpt2"])
def test_an_address_that_names_nothing_is_refused(load, name):
    with pytest.raises(BadRequest, match=r"no type of model called 'gpt_neo_nonsense'|expected 'transformers:owner"):
        load(f"transformers:{name}")


def test_a_network_of_unknown_layout_is_refused(load):
    model = load(*LINE)
    network = model.network(20)
    network.config.num_hidden_layers = 5
    with pytest.raises(WorkFailed, match="expected one list of 5 blocks in the network, found 0"):
        _language.blocks(network)


@pytest.mark.parametrize(("saved", "read"), [("float32", "float32"), ("float16", "float32"), ("bfloat16", "bfloat16")])
def test_a_model_of_the_hub_is_read_in_the_precision_that_it_was_trained_in(load, monkeypatch, tmp_path, saved, read):
    built = load(*LINE)
    tokenizer = built.tokenizer()
    built.network(len(tokenizer)).to(getattr(torch, saved)).save_pretrained(tmp_path / "owner" / "name")
    tokenizer.save_pretrained(tmp_path / "owner" / "name")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_hub, "file", lambda *given: tmp_path / "snapshots" / "0123abcd" / "config.json")
    model = load("transformers:owner/name")
    assert model.identity["weights"] == {"commit": "0123abcd"}
    layers, facts = model.represent()
    assert facts["dtype"] == read
    expected = arrays(built)
    for one in layers:
        assert one.values.dtype == np.float32
        np.testing.assert_allclose(one.values, expected[one.address], atol=0.02 if read == "bfloat16" else 1e-4)
