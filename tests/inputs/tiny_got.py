"""GOT-OCR2.0 in tiny, with random weights, as a folder that transformers' classes load."""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GotOcr2Config, GotOcr2ForConditionalGeneration, PreTrainedTokenizerFast, set_seed
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.got_ocr2.processing_got_ocr2 import GotOcr2Processor

SIDE = 128
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<imgpad>"]
PROMPT = "system\nYou should follow the instructions carefully and explain your answers in detail.user\nOCR: assistant\n"


def tokenizer() -> PreTrainedTokenizerFast:
    """A token a byte, but for the words of the prompt, which would be long otherwise."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    inner.train_from_iterator([PROMPT] * 4, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token=SPECIAL[0], additional_special_tokens=SPECIAL[1:])


def write(folder: Path, seed: int = 0) -> Path:
    words = tokenizer()
    vision = {
        "hidden_size": 48,
        "output_channels": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "window_size": 4,
        "global_attn_indexes": [1],
        "mlp_dim": 96,
        "initializer_range": 0.1,  # the class's own leaves a fresh encoder blind
    }
    text = {
        "model_type": "qwen2",
        "vocab_size": len(words),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
    }
    image_token = words.convert_tokens_to_ids("<imgpad>")
    set_seed(seed)
    config = GotOcr2Config(vision_config=vision, text_config=text, image_token_index=image_token, image_seq_length=4)
    GotOcr2ForConditionalGeneration(config).save_pretrained(folder)
    image_processor = GotOcr2ImageProcessorPil(size={"height": SIDE, "width": SIDE})
    GotOcr2Processor(image_processor, words).save_pretrained(folder)
    return folder
