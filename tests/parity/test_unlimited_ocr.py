"""Our network against transformers' `unlimited_ocr`, the same one: our folder loaded by theirs, logits compared in fp32."""

import json
import os

import pytest
import torch
from safetensors.torch import save_file

from model.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from model.decoder import Cache
from model.deepseek_ocr import DeepseekOcr

os.environ["HF_HUB_OFFLINE"] = "1"
unlimited_ocr = pytest.importorskip("transformers.models.unlimited_ocr")
transformers = pytest.importorskip("transformers")

TOLERANCE = 1e-4
IMAGE_ID = 50
# Tables that fit no grid below, windows that need padding, the experts unevenly chosen.
CONFIG = ModelConfig(
    SamConfig(width=32, depth=3, heads=2, window=5, global_blocks=(1,), image_size=192, neck=16, downsample=(24, 32)),
    ClipConfig(width=32, depth=2, heads=4, image_size=70),
    DecoderConfig(
        vocab_size=64,
        width=48,
        depth=3,
        heads=4,
        dense_width=80,
        num_experts=8,
        num_experts_per_token=3,
        expert_width=16,
        max_positions=256,
    ),
)


def randomised(net: DeepseekOcr) -> DeepseekOcr:
    """Weights so large that every part moves the logits: fresh ones leave relative positions at zero."""
    source = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            norm = "norm" in name and name.endswith("weight")
            parameter.normal_(1 if norm else 0, 0.15, generator=source)
    return net


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ours")
    ours = randomised(DeepseekOcr(CONFIG)).eval()
    save_file(ours.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads(CONFIG.to_json(bos_token_id=0, eos_token_id=1, pad_token_id=2, image_token_id=IMAGE_ID))
    config["model_type"] = "unlimited_ocr"
    config["language_config"]["layer_types"] = ["full_attention"] * CONFIG.decoder.depth
    (folder / "config.json").write_text(json.dumps(config))
    theirs, info = transformers.UnlimitedOcrForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    return ours, theirs.eval()


def largest(ours: torch.Tensor, theirs: torch.Tensor, what: str) -> float:
    difference = (ours - theirs).abs().max().item()
    print(f"{what}: largest difference {difference:.2e} of values up to {theirs.abs().max().item():.2f}")
    return difference


def sequence(num_image: int, num_text: int) -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(7)
    ids_BL = torch.randint(3, IMAGE_ID, (2, 1 + num_image + num_text), generator=source)
    ids_BL[:, 1 : 1 + num_image] = IMAGE_ID
    return ids_BL, ids_BL == IMAGE_ID


@pytest.mark.parametrize("side", [192, 256, 320])
def test_logits_agree(pair, side):
    ours, theirs = pair
    grid = side // 64
    ids_BL, image_BL = sequence(grid * (grid + 1) + 1, 20)
    x_B3HW = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(side))
    with torch.no_grad():
        mine = ours.logits(ours.model(ids_BL, x_B3HW, image_BL))
        other = theirs(input_ids=ids_BL, pixel_values=x_B3HW).logits
        features = theirs.get_image_features(pixel_values=x_B3HW).pooler_output
        images = ours.model.images(x_B3HW)
    assert largest(images, torch.stack(list(features)), f"image features at {side}") < TOLERANCE
    assert largest(mine, other, f"logits at {side}") < TOLERANCE
    assert other.std() > 0.1


def test_text_alone_agrees(pair):
    ours, theirs = pair
    ids_BL = torch.randint(3, IMAGE_ID, (3, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert largest(ours.logits(ours.model(ids_BL)), theirs(input_ids=ids_BL).logits, "logits of text") < TOLERANCE


def test_a_cache_changes_nothing(pair):
    ours, _ = pair
    ids_BL, image_BL = sequence(13, 20)
    x_B3HW = torch.randn(2, 3, 192, 192, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        whole = ours.logits(ours.model(ids_BL, x_B3HW, image_BL))
        cache = Cache(CONFIG.decoder.depth)
        steps = [ours.model(ids_BL[:, :20], x_B3HW, image_BL[:, :20], cache)]
        steps += [ours.model(ids_BL[:, at : at + 1], cache=cache) for at in range(20, ids_BL.shape[1])]
        assert largest(ours.logits(torch.cat(steps, 1)), whole, "logits with a cache") < TOLERANCE


def test_released_sizes_read_back():
    assert ModelConfig.from_json(CONFIG.to_json()) == CONFIG
