"""transformers' `unlimited_ocr`, which is the same network, with the weights of one of ours: saved as released, loaded there."""

import os
from pathlib import Path
from typing import Any

import torch

from datagen.disk.storage import Folder
from model.files import weights
from model.net.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig, for_transformers
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import Views, scaled
from model.net.image_modes import MODES
from model.net.tokenizer import TextTokenizer, train_tokenizer
from tests.model.lines import EIGHT

os.environ["HF_HUB_OFFLINE"] = "1"
TOLERANCE = 1e-4

# Tables that fit no grid below, windows that need padding, the experts unevenly chosen.
NARROW = ModelConfig(
    SamConfig(width=32, depth=3, heads=2, window=5, global_blocks=(1,), image_size=192, neck=16, downsample=(24, 32)),
    ClipConfig(width=32, depth=2, heads=4, image_size=70),
    DecoderConfig(
        vocab_size=400,
        width=48,
        depth=3,
        heads=4,
        dense_width=80,
        num_experts=8,
        num_experts_per_token=3,
        expert_width=16,
        max_positions=4096,
    ),
)
# Deeper, other ratios, two dense layers, one shared expert, as many experts chosen as there are but one.
DEEPER = ModelConfig(
    SamConfig(width=48, depth=5, heads=3, window=7, global_blocks=(0, 4), image_size=512, neck=24, downsample=(16, 64)),
    ClipConfig(width=64, depth=4, heads=2, image_size=112),
    DecoderConfig(
        vocab_size=400,
        width=64,
        depth=5,
        heads=2,
        dense_width=96,
        num_dense_layers=2,
        num_experts=5,
        num_shared_experts=1,
        num_experts_per_token=4,
        expert_width=24,
        max_positions=4096,
    ),
)
# Every width as released, and so every shape of a weight; fewer layers and experts, a small vocabulary.
RELEASED_WIDTHS = ModelConfig(
    SamConfig(depth=2, global_blocks=(1,)),
    ClipConfig(depth=2),
    DecoderConfig(vocab_size=400, depth=2, num_experts=16),
)


def tokenizer_for(config: ModelConfig) -> TextTokenizer:
    return train_tokenizer(EIGHT, config.decoder.vocab_size)


def randomised(config: ModelConfig) -> DeepseekOcr:
    """Weights so large that every part moves the logits: fresh ones leave relative positions at zero."""
    net = DeepseekOcr(config)
    source = torch.Generator().manual_seed(5)
    narrowest = min(config.sam.width, config.clip.width, config.decoder.width)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            norm = "norm" in name and name.endswith("weight")
            parameter.normal_(1 if norm else 0, 0.15 * (32 / narrowest) ** 0.5, generator=source)
    return net.eval()


def saved(net: DeepseekOcr, folder: Path, image_id: int) -> Path:
    weights.write(Folder(str(folder)), weights.released_tensors(net), {"format": "pt"}, weights.MAX_FILE_BYTES)
    ids = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "image_token_id": image_id}
    (folder / "config.json").write_bytes(net.config.to_json(**ids))
    return folder


def loaded(folder: Path, dtype: torch.dtype = torch.float32, attention: str = "eager", **more: Any) -> Any:
    import transformers

    config = transformers.UnlimitedOcrConfig(**for_transformers((folder / "config.json").read_bytes()))
    values: Any = transformers.UnlimitedOcrForConditionalGeneration.from_pretrained(
        folder, config=config, dtype=dtype, output_loading_info=True, attn_implementation=attention, **more
    )
    theirs, info = values
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    return theirs.eval()


def as_theirs(images: list[Views]) -> dict[str, Any]:
    """Our views as their arguments. All wholes have one size there, and so have all tiles."""
    values: dict[str, Any] = {"pixel_values": torch.stack([scaled(image.whole_3HW) for image in images])}
    tiles = [image.tiles_N3TT for image in images if image.tiles_N3TT is not None]
    if tiles:
        values["pixel_values_local"] = scaled(torch.cat(tiles))
    values["num_local_patches"] = [0 if i.tiles_N3TT is None else len(i.tiles_N3TT) for i in images]
    values["patches_grid"] = [list(i.grid if i.tiles_N3TT is not None else (1, 1)) for i in images]
    return values


@torch.no_grad()
def logits(net: DeepseekOcr, asked: Any) -> torch.Tensor:
    ids_BL, images, image_T = asked
    return net.logits(net(ids_BL, images, image_T))


def their_logits(net: Any, asked: Any) -> torch.Tensor:
    ids_BL, images, _ = asked
    return net(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL), **as_theirs(images)).logits


def views(mode: str, *grids: tuple[int, int], seed: int = 3) -> list[Views]:
    """Noise, an image for each of `grids`."""
    source = torch.Generator().manual_seed(seed)
    chosen = MODES[mode]
    images_of_mode = []
    for columns, rows in grids:
        whole = torch.randn(3, chosen.side, chosen.side, generator=source)
        tiles = torch.randn(columns * rows, 3, chosen.tile, chosen.tile, generator=source) if columns else None
        images_of_mode.append(Views(whole, tiles, (columns, rows)))
    return images_of_mode


def sequence(images_of_rows: list[list[Views]], tokenizer: TextTokenizer, num_text: int = 20) -> torch.Tensor:
    """Rows of text with that row's images in it, ragged: padded at the end."""
    source = torch.Generator().manual_seed(7)
    rows = []
    for images in images_of_rows:
        row = [tokenizer.bos]
        for image in images:
            row += [tokenizer.image] * image.num_tokens
            row += torch.randint(20, 250, (num_text,), generator=source).tolist()
        rows.append(row if images else row + torch.randint(20, 250, (num_text,), generator=source).tolist())
        num_text += 3
    longest = max(map(len, rows))
    return torch.tensor([row + [tokenizer.pad] * (longest - len(row)) for row in rows])
