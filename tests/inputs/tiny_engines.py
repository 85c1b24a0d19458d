"""Networks of engines in tiny, with random weights, as folders that transformers' classes load. Their sizes are those of
transformers' own tests (tests/models/pp_doclayout_v4 and its siblings), smaller where that works."""

from pathlib import Path

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    PPFormulaNetConfig,
    PPFormulaNetForConditionalGeneration,
    PPFormulaNetImageProcessor,
    PPFormulaNetProcessor,
    PreTrainedTokenizerFast,
    SLANetConfig,
    SLANetForTableRecognition,
    SLANeXtImageProcessor,
    set_seed,
)

# The classes of the released config.json files: PaddleX's table (modules/base/utils/pdparams2safetensors/model_config.py).
CLASSES = (
    "abstract algorithm aside_text chart content display_formula doc_title figure_title footer footer_image footnote "
    "formula_number header header_image image inline_formula number paragraph_title reference reference_content seal table text "
    "vertical_text vision_footnote"
).split()
_ORDER = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def write_layout(folder: Path, version: str, classes: list[str] = CLASSES) -> Path:
    """PP-DocLayout "v2", "v3" or "v4"."""
    kinds = ("Config", "ForObjectDetection", "ImageProcessor")
    config_class, network, image_processor = (getattr(transformers, f"PPDocLayout{version.upper()}{kind}") for kind in kinds)
    first = 0 if version == "v3" else 1
    channels = [32, 32, 32, 32]
    backbone = {
        "model_type": "hgnet_v2",
        "hidden_sizes": channels,
        "stem_channels": [3, 32, 32],
        "stage_in_channels": channels,
        "stage_mid_channels": channels,
        "stage_out_channels": channels,
        "stage_num_blocks": [1, 1, 1, 1],
        "stage_numb_of_layers": [1, 1, 1, 1],
        "return_idx": list(range(first, 4)),
        "out_features": [f"stage{i + 1}" for i in range(first, 4)],
    }
    own: dict = {
        "v2": {
            "reading_order_config": _ORDER,
            "class_thresholds": [0.5] * len(classes),
            "class_order": [i % 16 for i in range(len(classes))],
        },
        "v3": {"mask_feature_channels": [32, 32], "x4_feat_dim": 32},
        "v4": {},
    }
    set_seed(0)
    config = config_class(
        backbone_config=backbone,
        id2label=dict(enumerate(classes)),
        encoder_hidden_dim=32,
        encoder_in_channels=channels[1:],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=32,
        num_queries=30,
        decoder_in_channels=channels[1:],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_denoising=0,
        global_pointer_head_size=8,
        gp_dropout_value=0.0,
        **own[version],
    )
    network(config).save_pretrained(folder)
    image_processor(size={"height": 128, "width": 128}).save_pretrained(folder)
    return folder


def write_formulas(folder: Path) -> Path:
    """PP-FormulaNet with a token a byte."""
    inner = Tokenizer(models.BPE(vocab={}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    inner.add_tokens(sorted(pre_tokenizers.ByteLevel.alphabet()))
    words = PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    vision = {
        "image_size": 64,
        "patch_size": 16,
        "hidden_size": 16,
        "window_size": 2,
        "num_hidden_layers": 1,
        "output_channels": 8,
        "num_attention_heads": 2,
        "global_attn_indexes": [0],
        "mlp_dim": 16,
        "post_conv_in_channels": 8,
        "post_conv_mid_channels": 8,
        "post_conv_out_channels": 8,
        "decoder_hidden_size": 16,
        "initializer_range": 0.1,  # the class's own leaves a fresh encoder blind
    }
    text = {
        "d_model": 16,
        "decoder_layers": 1,
        "decoder_attention_heads": 2,
        "decoder_ffn_dim": 16,
        "vocab_size": len(words),
        "max_position_embeddings": 64,
    }
    set_seed(0)
    PPFormulaNetForConditionalGeneration(PPFormulaNetConfig(vision_config=vision, text_config=text)).save_pretrained(folder)
    image_processor = PPFormulaNetImageProcessor(size={"height": 64, "width": 64})
    PPFormulaNetProcessor(image_processor, words).save_pretrained(folder)
    return folder


def write_tables(folder: Path) -> Path:
    """SLANet."""
    blocks = [[[3, 16, 16, 1, False]], *([[[3, 16, 16, 2, False]]] * 3), [[5, 16, 16, 2, True]]]
    backbone = {
        "model_type": "pp_lcnet",
        "scale": 1,
        "out_features": ["stage2", "stage3", "stage4", "stage5"],
        "out_indices": [2, 3, 4, 5],
        "block_configs": blocks,
    }
    set_seed(0)
    config = SLANetConfig(
        backbone_config=backbone, out_channels=50, hidden_size=32, max_text_length=40, post_conv_out_channels=16
    )
    SLANetForTableRecognition(config).save_pretrained(folder)
    side = {"height": 128, "width": 128}
    SLANeXtImageProcessor(size=side, pad_size=side).save_pretrained(folder)
    return folder
