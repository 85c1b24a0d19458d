"""TRL with what the package has for it: GRPOTrainer with its reward, and DPOTrainer with published preference pairs. The models
are tiny ones of transformers', from random weights."""

import copy
from statistics import fmean

import pytest

from datagen.rewards.adapters import trl as reward
from datagen.target import Prompt
from tests.published import opened, output, publish

TRUTHS = ("born free", "a right to life", "no one is free")
STEPS = 20
ANSWER = "What stands here is on no page."
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<end>{% endfor %}"
)
SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
ARGUMENTS = {"logging_steps": 1, "save_strategy": "no", "report_to": [], "use_cpu": True, "bf16": False}


@pytest.fixture
def trl():
    return pytest.importorskip("trl", reason="needs TRL: make setup-tests")


def words_of(letters):
    """(a tokenizer with a token a letter, the configuration of a tiny language model with it)"""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, PreTrainedTokenizerFast

    tokens = ["<pad>", "<end>", "<image>", *letters]
    words = Tokenizer(models.WordLevel({token: n for n, token in enumerate(tokens)}, unk_token="<pad>"))
    words.pre_tokenizer, words.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    special = {"pad_token": "<pad>", "eos_token": "<end>", "extra_special_tokens": {"image_token": "<image>"}}
    config = LlamaConfig(vocab_size=len(words.get_vocab()), pad_token_id=0, eos_token_id=1, bos_token_id=None, **SIZE)
    return PreTrainedTokenizerFast(tokenizer_object=words, **special), config


@pytest.mark.slow
def test_the_reward_rises_in_twenty_steps(trl, tmp_path):
    """Nothing can be read in so few steps: what rises is how many of the truths' letters the answers have, and their length."""
    from datasets import Dataset
    from transformers import LlamaForCausalLM, set_seed

    letters = sorted(set("".join((*TRUTHS, *(prompt.value for prompt in Prompt)))) | set("abcdefghijklmnopqrstuvwxyz"))
    tokenizer, config = words_of(letters)
    set_seed(0)
    rows = [{"prompt": "Free OCR.", "truth": truth, "tests": "", "num_letters": -1} for truth in TRUTHS] * 8
    trainer = trl.GRPOTrainer(
        model=LlamaForCausalLM(config),
        reward_funcs=reward,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=STEPS,
            per_device_train_batch_size=32,
            num_generations=16,
            max_completion_length=16,
            learning_rate=2e-2,
            lr_scheduler_type="constant",
            seed=0,
            **ARGUMENTS,
        ),
    )
    trainer.train()
    rewards = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    print("reward by step:", " ".join(f"{value:.3f}" for value in rewards))
    assert len(rewards) == STEPS
    assert fmean(rewards[-5:]) > 1.5 * fmean(rewards[:5])


@pytest.mark.slow
def test_two_steps_of_dpo(trl, tmp_path):
    """With TRL's own preparation of the data, for a model that sees images."""
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        set_seed,
    )

    out = output(tmp_path / "out")
    (tmp_path / "answers").mkdir()
    for number in range(12):
        (tmp_path / "answers" / f"page-{number:06}.md").write_text(ANSWER)
    assert publish(out, tmp_path / "pub", pairs=f"{tmp_path}/answers") == 0
    rows = opened(tmp_path / "pub", None, tmp_path / "cache")
    assert len(rows) == 8

    tokenizer, config = words_of(map(chr, range(32, 127)))
    processor = LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=CHAT,
        num_additional_image_tokens=1,
    )
    set_seed(0)
    sees = CLIPVisionConfig(image_size=28, patch_size=14, **SIZE)
    model = LlavaForConditionalGeneration(
        LlavaConfig(vision_config=sees, text_config=config, image_token_index=2, vision_feature_layer=-1)
    )
    batches = []
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        processing_class=processor,
        train_dataset=rows,
        args=trl.DPOConfig(
            output_dir=str(tmp_path / "dpo"),
            max_steps=2,
            per_device_train_batch_size=4,
            max_length=None,
            gradient_checkpointing=False,
            **ARGUMENTS,
        ),
    )
    collate = trainer.data_collator
    trainer.data_collator = lambda examples: batches.append(collate(examples)) or batches[-1]
    trainer.train()
    assert len([entry for entry in trainer.state.log_history if "loss" in entry]) == 2
    batch = batches[0]
    assert batch["pixel_values"].shape[0] == 8 and torch.isfinite(batch["pixel_values"]).all()
    said = [tokenizer.decode(ids[mask.bool()]) for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)]
    asked = tokenizer.decode(batch["input_ids"][0][~batch["completion_mask"][0].bool()])
    assert Prompt.FREE.value.removeprefix("<image>\n") in asked
    assert all(ANSWER in text for text in said[4:]) and not any(ANSWER in text for text in said[:4])
