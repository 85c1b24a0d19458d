"""The network's sizes, and its `config.json` in the released checkpoint's structure.

This file imports the standard library alone, because recipes build these types.
"""

import dataclasses
import json
import logging
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SamConfig:
    """The sizes of the SAM tower. `image_size` belongs to its position tables. Images of other sizes interpolate them."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    window: int = 14
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)
    image_size: int = 1024
    patch: int = 16
    neck: int = 256
    downsample: tuple[int, int] = (512, 1024)

    @property
    def grid(self) -> int:
        return self.image_size // self.patch


@dataclass(frozen=True)
class ClipConfig:
    """The sizes of the CLIP tower. `width` is the compressor's last. `image_size` and `patch` only size the position table."""

    width: int = 1024
    depth: int = 24
    heads: int = 16
    image_size: int = 224
    patch: int = 14

    @property
    def grid(self) -> int:
        return self.image_size // self.patch


@dataclass(frozen=True)
class DecoderConfig:
    """The sizes of the decoder. It has no experts if all its layers are dense, as in the compact decoder of stage 1."""

    vocab_size: int = 129280
    width: int = 1280
    depth: int = 12
    heads: int = 10
    dense_width: int = 6848
    num_dense_layers: int = 1
    num_experts: int = 64
    num_shared_experts: int = 2
    num_experts_per_token: int = 6
    expert_width: int = 896
    max_positions: int = 8192
    rope_theta: float = 10000.0
    balance_alpha: float = 0.001


_MAY_BE_NONE = ("num_dense_layers", "num_shared_experts")


@dataclass(frozen=True)
class ModelConfig:
    """The sizes of the whole network. `init_std` is the standard deviation of a fresh linear layer's weights. Raises `ValueError`
    for sizes that make no network, naming the field."""

    sam: SamConfig = SamConfig()
    clip: ClipConfig = ClipConfig()
    decoder: DecoderConfig = DecoderConfig()
    init_std: float = 0.02

    def __post_init__(self) -> None:
        for part, name in ((self.sam, "sam"), (self.clip, "clip"), (self.decoder, "decoder")):
            for field in dataclasses.fields(part):
                value, least = getattr(part, field.name), 0 if field.name in _MAY_BE_NONE else 1
                if isinstance(field.default, int) and (not isinstance(value, int) or value < least):
                    raise ValueError(f"{name}.{field.name} is {value!r}: it must be a whole number, {least} or more")
            if part.width % part.heads:
                raise ValueError(f"{name}.width is {part.width}: it must be a multiple of {name}.heads, {part.heads}")
        if self.clip.width != self.sam.downsample[-1]:
            raise ValueError(f"clip.width is {self.clip.width}: it must be sam.downsample's last, {self.sam.downsample[-1]}")

    def with_vocab(self, vocab_size: int) -> "ModelConfig":
        """These sizes with a vocabulary of `vocab_size`."""
        return dataclasses.replace(self, decoder=dataclasses.replace(self.decoder, vocab_size=vocab_size))

    def to_json(self, **token_ids: int) -> bytes:
        """The bytes of `config.json`. `token_ids` may be bos_token_id, eos_token_id, pad_token_id and image_token_id.
        `vision_config.width` has the released structure. `sam_config` and `encoder_config` have the same in transformers'
        names, and the values that are in the code of the released structure."""
        sam, clip, decoder = self.sam, self.clip, self.decoder
        language = {
            "architectures": ["DeepseekV2ForCausalLM"],
            "first_k_dense_replace": decoder.num_dense_layers,
            "hidden_size": decoder.width,
            "initializer_range": self.init_std,
            "intermediate_size": decoder.dense_width,
            "kv_lora_rank": None,
            "max_position_embeddings": decoder.max_positions,
            "moe_intermediate_size": decoder.expert_width,
            "n_group": 1,
            "n_routed_experts": decoder.num_experts,
            "n_shared_experts": decoder.num_shared_experts,
            "norm_topk_prob": False,
            "num_attention_heads": decoder.heads,
            "num_experts_per_tok": decoder.num_experts_per_token,
            "num_hidden_layers": decoder.depth,
            "num_key_value_heads": decoder.heads,
            "q_lora_rank": None,
            "qk_nope_head_dim": 0,
            "qk_rope_head_dim": 0,
            "rms_norm_eps": 1e-6,
            "rope_theta": decoder.rope_theta,
            "aux_loss_alpha": decoder.balance_alpha,
            "topk_group": 1,
            "topk_method": "greedy",
            "use_mla": False,
            "v_head_dim": 0,
            "vocab_size": decoder.vocab_size,
        } | {name: token_ids[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id") if name in token_ids}
        width = {
            "clip-l-14-224": {
                "heads": clip.heads,
                "image_size": clip.image_size,
                "layers": clip.depth,
                "patch_size": clip.patch,
                "width": clip.width,
            },
            "sam_vit_b": {
                "downsample_channels": sam.downsample,
                "global_attn_indexes": sam.global_blocks,
                "heads": sam.heads,
                "layers": sam.depth,
                "width": sam.width,
            },
        }
        sam_config = {
            "hidden_size": sam.width,
            "output_channels": sam.neck,
            "num_hidden_layers": sam.depth,
            "num_attention_heads": sam.heads,
            "image_size": sam.image_size,
            "patch_size": sam.patch,
            "window_size": sam.window,
            "global_attn_indexes": sam.global_blocks,
            "mlp_dim": 4 * sam.width,
            "downsample_channels": sam.downsample,
        }
        encoder_config = {
            "hidden_size": clip.width,
            "intermediate_size": 4 * clip.width,
            "num_hidden_layers": clip.depth,
            "num_attention_heads": clip.heads,
            "image_size": clip.image_size,
            "patch_size": clip.patch,
        }
        values = {
            "architectures": ["DeepseekOCRForCausalLM"],
            "model_type": "deepseek_vl_v2",
            "tie_word_embeddings": False,
            "language_config": language,
            "projector_config": {
                "input_dim": 2 * clip.width,
                "model_type": "mlp_projector",
                "n_embed": decoder.width,
                "projector_type": "linear",
            },
            "vision_config": {
                "image_size": sam.image_size,
                "model_name": "deeplip_b_l",
                "model_type": "vision",
                "width": width,
                "sam_config": sam_config,
                "encoder_config": encoder_config,
            },
        } | token_ids
        return json.dumps(values, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "ModelConfig":
        """The sizes in a `config.json`: ours, the released one, or transformers'. Missing values are the released ones."""
        values = json.loads(data)
        if "text_config" in values:
            return _from_transformers(values)
        language = values["language_config"]
        vision: dict[str, Any] = values["vision_config"]
        clip, sam = vision["width"]["clip-l-14-224"], vision["width"]["sam_vit_b"]
        more = vision.get("sam_config", {})
        return cls(
            SamConfig(
                width=sam["width"],
                depth=sam["layers"],
                heads=sam["heads"],
                window=more.get("window_size", SamConfig.window),
                global_blocks=tuple(sam["global_attn_indexes"]),
                image_size=vision["image_size"],
                patch=more.get("patch_size", SamConfig.patch),
                neck=more.get("output_channels", SamConfig.neck),
                downsample=tuple(sam["downsample_channels"]),
            ),
            ClipConfig(clip["width"], clip["layers"], clip["heads"], clip["image_size"], clip["patch_size"]),
            _decoder(language, language["first_k_dense_replace"], language),
            init_std=language.get("initializer_range", cls.init_std),
        )


def _from_transformers(values: dict[str, Any]) -> ModelConfig:
    """The sizes in a `config.json` that transformers' `UnlimitedOcrForConditionalGeneration` saved. Raises `ValueError` for
    another kind of network, and `KeyError` for missing values."""
    text, vision = values["text_config"], values["vision_config"]
    sam, clip = vision["sam_config"], vision["encoder_config"]
    kinds = text["mlp_layer_types"]
    num_dense = kinds.count("dense")
    if len(kinds) != text["num_hidden_layers"] or kinds != ["dense"] * num_dense + ["sparse"] * (len(kinds) - num_dense):
        raise ValueError(f"text_config.mlp_layer_types is {kinds}: one a layer is needed, dense ones first")
    for part, name, field, needed in (
        (text, "text_config", "num_key_value_heads", text["num_attention_heads"]),
        (sam, "sam_config", "mlp_dim", 4 * sam["hidden_size"]),
        (clip, "encoder_config", "intermediate_size", 4 * clip["hidden_size"]),
    ):
        if part[field] != needed:
            raise ValueError(f"{name}.{field} is {part[field]!r}: in this network it is {needed}")
    if windows := set(text.get("layer_types") or ()) - {"full_attention"}:
        # transformers' default, also for a folder that was released without. The weights are of the same network.
        log.warning("config.json gives layers %s: this network has full attention", ", ".join(sorted(windows)))
    return ModelConfig(
        SamConfig(
            width=sam["hidden_size"],
            depth=sam["num_hidden_layers"],
            heads=sam["num_attention_heads"],
            window=sam["window_size"],
            global_blocks=tuple(sam["global_attn_indexes"]),
            image_size=_side(sam["image_size"]),
            patch=_side(sam["patch_size"]),
            neck=sam["output_channels"],
            downsample=tuple(sam["downsample_channels"]),
        ),
        ClipConfig(
            clip["hidden_size"],
            clip["num_hidden_layers"],
            clip["num_attention_heads"],
            _side(clip["image_size"]),
            _side(clip["patch_size"]),
        ),
        _decoder(text, num_dense, text.get("rope_parameters") or {}),
        init_std=text.get("initializer_range", ModelConfig.init_std),
    )


def _decoder(values: dict[str, Any], num_dense: int, rope: dict[str, Any]) -> DecoderConfig:
    """The decoder of either structure. Both have these names, except for dense layers and `rope_theta`."""
    return DecoderConfig(
        vocab_size=values["vocab_size"],
        width=values["hidden_size"],
        depth=values["num_hidden_layers"],
        heads=values["num_attention_heads"],
        dense_width=values["intermediate_size"],
        num_dense_layers=num_dense,
        num_experts=values["n_routed_experts"],
        num_shared_experts=values["n_shared_experts"],
        num_experts_per_token=values["num_experts_per_tok"],
        expert_width=values["moe_intermediate_size"],
        max_positions=values["max_position_embeddings"],
        rope_theta=rope.get("rope_theta", DecoderConfig.rope_theta),
        balance_alpha=values.get("aux_loss_alpha", DecoderConfig.balance_alpha),
    )


def _side(size: Any) -> int:
    """The side of a square, for which transformers may write both sides. Raises `ValueError` for another shape."""
    sides = set(size) if isinstance(size, (list, tuple)) else {size}
    if len(sides) != 1:
        raise ValueError(f"a size is {size}: in this network images and patches are squares")
    side: int = sides.pop()
    return side


def for_transformers(config: bytes) -> dict[str, Any]:
    """The arguments of transformers' `UnlimitedOcrConfig` for a `config.json`: ours, the released one, or transformers' own.
    Without them transformers would give the layers a window. The released name of the model is left out, because transformers
    has another name for the network."""
    values = json.loads(config)
    name = "text_config" if "text_config" in values else "language_config"
    language = values[name] | {"layer_types": ["full_attention"] * values[name]["num_hidden_layers"]}
    return {key: value for key, value in values.items() if key not in ("model_type", "auto_map")} | {name: language}


def full() -> ModelConfig:
    """The released network: 3,336,106,240 parameters."""
    return ModelConfig()


def stage1() -> ModelConfig:
    """The paper's first stage: DeepEncoder as released before a compact dense decoder, 12 layers of 768. We chose that size."""
    return ModelConfig(decoder=DecoderConfig(width=768, heads=12, dense_width=2048, num_dense_layers=12))


def small_moe() -> ModelConfig:
    """The released topology in the size that `make bench` compares. Two cores train it at some thousand tokens a second."""
    return ModelConfig(
        SamConfig(width=256, depth=4, heads=4, global_blocks=(1, 3), neck=128, downsample=(192, 256)),
        ClipConfig(width=256, depth=4, heads=4),
        DecoderConfig(
            vocab_size=16384,
            width=512,
            depth=4,
            heads=4,
            dense_width=1536,
            num_experts=32,
            num_experts_per_token=6,
            expert_width=384,
        ),
    )


def tiny() -> ModelConfig:
    """The released topology in small: SAM with windowed blocks and a global one, a dense layer, then layers of experts."""
    return ModelConfig(
        SamConfig(width=64, depth=3, heads=2, window=8, global_blocks=(2,), image_size=512, neck=64, downsample=(96, 128)),
        ClipConfig(width=128, depth=2, heads=4, image_size=112),
        DecoderConfig(
            vocab_size=4096,
            width=192,
            depth=4,
            heads=3,
            dense_width=512,
            num_experts=8,
            num_experts_per_token=2,
            expert_width=128,
            max_positions=2048,
        ),
        init_std=0.08,
    )


def line_reader(stage: int = 2) -> ModelConfig:
    """A network that learns to read lines of text on two cores, 2 million parameters, with a token a byte. At stage 1 the decoder
    is dense, as in the paper's stage 1, and at stage 2 it has experts. The encoder is the same at both."""
    decoder = DecoderConfig(
        vocab_size=269,
        width=128,
        depth=3,
        heads=2,
        dense_width=384,
        num_dense_layers=3 if stage == 1 else 1,
        num_experts=8,
        num_experts_per_token=2,
        expert_width=96,
        max_positions=2048,
    )
    return ModelConfig(
        SamConfig(width=96, depth=3, heads=3, window=4, global_blocks=(2,), image_size=512, neck=64, downsample=(96, 128)),
        ClipConfig(width=128, depth=2, heads=4, image_size=112),
        decoder,
        init_std=128**-0.5,
    )
