"""TRL's DPOTrainer with published preference pairs: its own preparation of the data, and two steps of a tiny model of
transformers' that sees images, from random weights."""

import copy

import pytest

from datagen.target import Prompt
from tests.published import opened, output, publish

ANSWER = "What stands here is on no page."
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<end>{% endfor %}"
)


@pytest.mark.slow
def test_two_steps_of_dpo(tmp_path):
    trl = pytest.importorskip("trl", reason="needs TRL: make setup-tests")
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
        set_seed,
    )

    out = output(tmp_path / "out")
    (tmp_path / "answers").mkdir()
    for number in range(12):
        (tmp_path / "answers" / f"page-{number:06}.md").write_text(ANSWER)
    assert publish(out, tmp_path / "pub", pairs=f"{tmp_path}/answers") == 0
    rows = opened(tmp_path / "pub", None, tmp_path / "cache")
    assert len(rows) == 8

    special = ["<pad>", "<end>", "<image>"]
    tokens = [*special, *map(chr, range(32, 127))]
    words = Tokenizer(models.WordLevel({token: n for n, token in enumerate(tokens)}, unk_token="<pad>"))
    words.pre_tokenizer, words.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<end>", extra_special_tokens={"image_token": "<image>"}
    )
    processor = LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=CHAT,
        num_additional_image_tokens=1,
    )
    set_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=CLIPVisionConfig(image_size=28, patch_size=14, **size),
            text_config=LlamaConfig(vocab_size=len(words.get_vocab()), pad_token_id=0, eos_token_id=1, bos_token_id=None, **size),
            image_token_index=2,
            vision_feature_layer=-1,
        )
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
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
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
