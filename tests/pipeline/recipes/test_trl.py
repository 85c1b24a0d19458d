"""TRL's GRPOTrainer with the package's reward: twenty steps of a tiny model of transformers' from random weights."""

from statistics import fmean

import pytest

from datagen.rewards.adapters import trl as reward
from datagen.target import Prompt

TRUTHS = ("born free", "a right to life", "no one is free")
STEPS = 20


@pytest.mark.slow
def test_the_reward_rises_in_twenty_steps(tmp_path):
    """Nothing can be read in so few steps: what rises is how many of the truths' letters the answers have, and their length."""
    trl = pytest.importorskip("trl", reason="needs TRL: make setup-tests")
    from datasets import Dataset
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

    special = ["<pad>", "<end>", "<image>"]
    letters = sorted(set("".join((*TRUTHS, *(prompt.value for prompt in Prompt)))) | set("abcdefghijklmnopqrstuvwxyz"))
    words = Tokenizer(models.WordLevel({token: n for n, token in enumerate([*special, *letters])}, unk_token="<pad>"))
    words.pre_tokenizer, words.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<end>")
    set_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(words.get_vocab()), pad_token_id=0, eos_token_id=1, bos_token_id=None, **size)
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
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            bf16=False,
            seed=0,
        ),
    )
    trainer.train()
    rewards = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    print("reward by step:", " ".join(f"{value:.3f}" for value in rewards))
    assert len(rewards) == STEPS
    assert fmean(rewards[-5:]) > 1.5 * fmean(rewards[:5])
