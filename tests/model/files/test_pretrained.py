"""Starting weights from SAM's and CLIP's own layouts: transformers' classes with random weights, saved by them."""

import dataclasses

import pytest
import torch
from transformers import CLIPConfig, CLIPModel, SamConfig, SamModel, SamVisionConfig

from model.files.pretrained import start_clip, start_sam
from model.files.safetensors_files import BadCheckpoint
from model.net.config import tiny
from model.net.deepseek_ocr import build

CONFIG = dataclasses.replace(
    tiny(), sam=dataclasses.replace(tiny().sam, image_size=192, window=5), clip=dataclasses.replace(tiny().clip, image_size=112)
)


def sam_like(window: int = 5):
    sam = CONFIG.sam
    vision = SamVisionConfig(
        hidden_size=sam.width,
        output_channels=sam.neck,
        num_hidden_layers=sam.depth,
        num_attention_heads=sam.heads,
        image_size=sam.image_size,
        window_size=window,
        global_attn_indexes=list(sam.global_blocks),
        mlp_dim=4 * sam.width,
        num_pos_feats=sam.neck // 2,
    )
    return randomised(SamModel(SamConfig(vision_config=vision.to_dict())))


def randomised(model):
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.1, generator=source)
    return model.eval()


def test_sam_sees_what_it_saw(tmp_path):
    theirs = sam_like()
    theirs.save_pretrained(tmp_path)
    net = build(CONFIG).eval()
    start_sam(net, str(tmp_path))
    x_B3HW = torch.randn(1, 3, 192, 192, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(net.encoder.sam(x_B3HW), theirs.vision_encoder(x_B3HW).last_hidden_state, atol=1e-4)


def test_clip_sees_what_it_saw(tmp_path):
    """Its patches from its own embedding: as the released network is fed from the compressor, ours is here from theirs."""
    clip = CONFIG.clip
    vision = {
        "hidden_size": clip.width,
        "intermediate_size": 4 * clip.width,
        "num_hidden_layers": clip.depth,
        "num_attention_heads": clip.heads,
        "image_size": clip.image_size,
        "patch_size": clip.patch,
    }
    text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 50}
    theirs = randomised(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)))
    theirs.save_pretrained(tmp_path)
    net = build(CONFIG).eval()
    start_clip(net, str(tmp_path))
    pixels = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    ours = net.encoder.clip
    with torch.no_grad():
        expected = theirs.vision_model(pixels).last_hidden_state[:, 1:]
        assert torch.allclose(ours(ours.embeddings.patch_embedding(pixels)), expected, atol=1e-4)
    assert expected.std() > 0.1


def test_a_tower_of_another_size_is_refused_by_name(tmp_path):
    sam_like(window=7).save_pretrained(tmp_path)
    with pytest.raises(BadCheckpoint, match=r"rel_pos_[hw] should be \(9, 32\), and is \(13, 32\)"):
        start_sam(build(CONFIG), str(tmp_path))
    with pytest.raises(BadCheckpoint, match=r"lacks what goes to embeddings"):
        start_clip(build(CONFIG), str(tmp_path))
