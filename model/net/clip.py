"""The CLIP tower, whose patches are the compressor's output.

    B images · h w tokens of the compressor · L = h*w + 1 with the class token · D width · N heads · K head dim

Structure and names: the released DeepSeek-OCR `deepencoder.py`.
"""

import torch
from torch import Tensor, nn

from model.net.activation_checkpointing import checkpointed
from model.net.config import ClipConfig
from model.net.cpu import Linear
from model.net.sam import resized, weighed


class Embeddings(nn.Module):
    """The class token and positions, added to the compressor's output.

    `patch_embedding` does nothing. The released checkpoint has it, and a round trip must not lose it.
    """

    def __init__(self, config: ClipConfig):
        super().__init__()
        self.grid = config.grid
        self.class_embedding = nn.Parameter(torch.empty(config.width))
        self.patch_embedding = nn.Conv2d(3, config.width, config.patch, stride=config.patch, bias=False)
        self.position_embedding = nn.Embedding(config.grid**2 + 1, config.width)

    def forward(self, x_BDhw: Tensor) -> Tensor:
        B, D, h, w = x_BDhw.shape
        table_LD = self.position_embedding.weight
        grid_1hwD = resized(table_LD[1:].view(1, self.grid, self.grid, D), h, w)
        x_BLD = torch.cat([self.class_embedding.expand(B, 1, D).to(x_BDhw.dtype), x_BDhw.flatten(2).transpose(1, 2)], 1)
        return x_BLD + torch.cat([table_LD[:1], grid_1hwD.reshape(h * w, D)])


class Attention(nn.Module):
    def __init__(self, config: ClipConfig):
        super().__init__()
        self.heads = config.heads
        self.qkv_proj = Linear(config.width, 3 * config.width)
        self.out_proj = Linear(config.width, config.width)

    def forward(self, x_BLD: Tensor) -> Tensor:
        B, L, D = x_BLD.shape
        q_BNLK, k_BNLK, v_BNLK = self.qkv_proj(x_BLD).view(B, L, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()
        x_BNLK = weighed(q_BNLK * q_BNLK.shape[-1] ** -0.5, k_BNLK, v_BNLK)
        return self.out_proj(x_BNLK.transpose(1, 2).reshape(B, L, D))


class Mlp(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.fc1 = Linear(width, 4 * width)
        self.fc2 = Linear(4 * width, width)

    def forward(self, x_BLD: Tensor) -> Tensor:
        x_BLF = self.fc1(x_BLD)
        return self.fc2(x_BLF * torch.sigmoid(1.702 * x_BLF))  # quick_gelu


class Layer(nn.Module):
    def __init__(self, config: ClipConfig):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.width, eps=1e-5)
        self.self_attn = Attention(config)
        self.layer_norm2 = nn.LayerNorm(config.width, eps=1e-5)
        self.mlp = Mlp(config.width)

    def forward(self, x_BLD: Tensor) -> Tensor:
        x_BLD = x_BLD + self.self_attn(self.layer_norm1(x_BLD))
        return x_BLD + self.mlp(self.layer_norm2(x_BLD))


class Transformer(nn.Module):
    def __init__(self, config: ClipConfig):
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))


class Clip(nn.Module):
    """From the compressor's (B, D, h, w) to (B, h*w, D), without the class token. There is no norm at the end."""

    def __init__(self, config: ClipConfig):
        super().__init__()
        self.checkpointing = False
        self.embeddings = Embeddings(config)
        self.pre_layrnorm = nn.LayerNorm(config.width, eps=1e-5)  # spelled so in the checkpoint
        self.transformer = Transformer(config)

    def forward(self, x_BDhw: Tensor) -> Tensor:
        x_BLD = self.pre_layrnorm(self.embeddings(x_BDhw))
        for layer in self.transformer.layers:
            x_BLD = checkpointed(self, layer, x_BLD)
        return x_BLD[:, 1:]
