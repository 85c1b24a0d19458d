"""The SAM tower: from pixels to a grid of patches, most of its attention in windows.

    B images · H W pixels · h w patches · L = h*w · D width · N heads · K head dim · M = K + h + w
    G windows · r c their rows and columns · C channels · E = 3D

Structure and names: the released DeepSeek-OCR `deepencoder.py`; segment-anything `modeling/image_encoder.py`.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.net import cpu
from model.net.activation_checkpointing import checkpointed
from model.net.config import SamConfig
from model.net.cpu import Conv2d, Linear, wide
from model.net.image import scaled


class Attention(nn.Module):
    """Attention over a grid, with a bias from decomposed relative positions: one table for rows, one for columns.

    The bias of query q and key (i, j) is rows[q, i] + columns[q, j], which is the product of q's biases with one-hot i and j. So
    for torch's attention queries get their biases as further dimensions, and keys their one-hot places, and the product includes
    the bias. On either path the bias is never L x L, neither for scores nor for gradients.
    """

    def __init__(self, config: SamConfig, grid: int):
        super().__init__()
        self.heads = config.heads
        self.qkv = Linear(config.width, 3 * config.width)
        self.proj = Linear(config.width, config.width)
        self.rel_pos_h = nn.Parameter(torch.empty(2 * grid - 1, config.width // config.heads))
        self.rel_pos_w = nn.Parameter(torch.empty(2 * grid - 1, config.width // config.heads))

    def forward(self, x_BhwD: Tensor, window: int = 0) -> Tensor:
        """(B, h, w, D). Attends in windows of `window` patches, or with 0 to the whole grid. Windows at the edges are padded with
        zeros, unmasked, as in the training of the released weights. The padding comes after the projection, which turns zeros
        into its bias."""
        _, h, w, _ = x_BhwD.shape
        qkv_BhwE = self.qkv(x_BhwD)
        if not window:
            return self.proj(self.attend(qkv_BhwE))
        x_GhwD = self.attend(windowed(qkv_BhwE, window, self.qkv.bias))
        return self.proj(whole(x_GhwD, h, w))

    def attend(self, qkv_BhwE: Tensor) -> Tensor:
        B, h, w, _ = qkv_BhwE.shape
        q_BNLK, k_BNLK, v_BNLK = qkv_BhwE.reshape(B, h * w, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()
        # The bias comes from the unscaled q.
        q_BNhwK, dtype = wide(q_BNLK.unflatten(2, (h, w))), q_BNLK.dtype
        rows_BNhwh = torch.einsum("bnhwk,hik->bnhwi", q_BNhwK, relative(self.rel_pos_h, h).to(q_BNhwK.dtype))
        columns_BNhww = torch.einsum("bnhwk,wjk->bnhwj", q_BNhwK, relative(self.rel_pos_w, w).to(q_BNhwK.dtype))
        bias = rows_BNhwh.flatten(2, 3).to(dtype), columns_BNhww.flatten(2, 3).to(dtype)
        q_BNLK = q_BNLK * q_BNLK.shape[-1] ** -0.5
        if cpu.is_blockwise(q_BNLK):
            x_BNLK = cpu.attention(q_BNLK, k_BNLK, v_BNLK, *bias)
        else:
            k_BNLM = torch.cat([k_BNLK, one_hot_places(h, w, k_BNLK).expand(*k_BNLK.shape[:3], -1)], -1)
            x_BNLK = weighed(torch.cat([q_BNLK, *bias], -1), k_BNLM, v_BNLK)
        return x_BNLK.transpose(1, 2).reshape(B, h, w, -1)


def windowed(x_BhwE: Tensor, size: int, filling_E: Tensor) -> Tensor:
    """(G, size, size, E): the grid's windows. Those at the edges are padded with `filling_E`."""
    B, h, w, E = x_BhwE.shape
    filling_E = filling_E.to(x_BhwE.dtype)
    x_BhwE = torch.cat([x_BhwE, filling_E.expand(B, h, -w % size, E)], 2)
    x_BhwE = torch.cat([x_BhwE, filling_E.expand(B, -h % size, x_BhwE.shape[2], E)], 1)
    x_BrhcwE = x_BhwE.unflatten(2, (-1, size)).unflatten(1, (-1, size))
    return x_BrhcwE.transpose(2, 3).reshape(-1, size, size, E)


def whole(x_GhwD: Tensor, height: int, width: int) -> Tensor:
    """(B, height, width, D): the grid from its `windowed` windows, without the padding."""
    size, D = x_GhwD.shape[1], x_GhwD.shape[-1]
    rows, columns = -(-height // size), -(-width // size)
    x_BrchwD = x_GhwD.view(-1, rows, columns, size, size, D)
    return x_BrchwD.transpose(2, 3).reshape(-1, rows * size, columns * size, D)[:, :height, :width]


def weighed(q_BNLM: Tensor, k_BNLM: Tensor, v_BNLK: Tensor) -> Tensor:
    """(B, N, L, K): softmax(q k) v, without a scale. For few queries on a processor it is explicit, which is fastest there."""
    if q_BNLM.device.type == "cpu":
        if cpu.is_blockwise(q_BNLM):
            return cpu.attention(q_BNLM, k_BNLM, v_BNLK)
        return (q_BNLM @ k_BNLM.transpose(-2, -1)).softmax(-1) @ v_BNLK
    # Fused attention needs one width for all three, on CUDA a multiple of 8. flex attention would add the bias to scores of K
    # dimensions, from two tables. But its backward pass adds the tables' gradients atomically for each query and key, in an order
    # that changes, even where algorithms must be deterministic; and no processor has it for comparison.
    width = -(-q_BNLM.shape[-1] // 8) * 8
    q, k, v = (F.pad(x, (0, width - x.shape[-1])) for x in (q_BNLM, k_BNLM, v_BNLK))
    return F.scaled_dot_product_attention(q, k, v, scale=1.0)[..., : v_BNLK.shape[-1]]


def one_hot_places(height: int, width: int, like: Tensor) -> Tensor:
    """(h*w, h + w): the row and the column of each place, one-hot."""
    rows, columns = (torch.eye(side, dtype=like.dtype, device=like.device) for side in (height, width))
    size = (height, width, -1)
    return torch.cat([rows[:, None].expand(size), columns[None].expand(size)], -1).flatten(0, 1)


def relative(table_RK: Tensor, size: int) -> Tensor:
    """(size, size, K): the table's row for each pair of query and key. A table of another length is interpolated."""
    length = 2 * size - 1
    if table_RK.shape[0] != length:
        table_RK = interpolated(table_RK.float().T[None], (length,), mode="linear")[0].T.to(table_RK.dtype)
    at = torch.arange(size, device=table_RK.device)
    return table_RK[at[:, None] - at[None, :] + size - 1]


class Mlp(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.lin1 = Linear(width, 4 * width)
        self.lin2 = Linear(4 * width, width)

    def forward(self, x_BhwD: Tensor) -> Tensor:
        return self.lin2(F.gelu(self.lin1(x_BhwD)))


class Block(nn.Module):
    """A block of the tower. With `window` 0 it attends to the whole grid."""

    def __init__(self, config: SamConfig, window: int):
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = Attention(config, window or config.grid)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = Mlp(config.width)

    def forward(self, x_BhwD: Tensor) -> Tensor:
        x_BhwD = x_BhwD + self.attn(self.norm1(x_BhwD), self.window)
        return x_BhwD + self.mlp(self.norm2(x_BhwD))


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x_BChw: Tensor) -> Tensor:
        return super().forward(x_BChw.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class PatchEmbed(nn.Module):
    def __init__(self, width: int, patch: int):
        super().__init__()
        self.proj = Conv2d(3, width, patch, stride=patch)

    def forward(self, x_B3HW: Tensor) -> Tensor:
        return self.proj(scaled(x_B3HW).to(self.proj.weight.dtype)).permute(0, 2, 3, 1)


class Sam(nn.Module):
    """From pixels, (B, 3, H, W), to (B, C, H/16, W/16): blocks over patches of 16 pixels, then the neck."""

    def __init__(self, config: SamConfig):
        super().__init__()
        self.checkpointing = False
        self.patch_embed = PatchEmbed(config.width, config.patch)
        self.pos_embed = nn.Parameter(torch.empty(1, config.grid, config.grid, config.width))
        self.blocks = nn.ModuleList(Block(config, 0 if n in config.global_blocks else config.window) for n in range(config.depth))
        self.neck = nn.Sequential(
            Conv2d(config.width, config.neck, 1, bias=False),
            LayerNorm2d(config.neck, eps=1e-6),
            Conv2d(config.neck, config.neck, 3, padding=1, bias=False),
            LayerNorm2d(config.neck, eps=1e-6),
        )

    def forward(self, x_B3HW: Tensor) -> Tensor:
        x_BhwD = self.patch_embed(x_B3HW)
        x_BhwD = x_BhwD + resized(self.pos_embed, x_BhwD.shape[1], x_BhwD.shape[2])
        for block in self.blocks:
            x_BhwD = checkpointed(self, block, x_BhwD)
        return self.neck(x_BhwD.permute(0, 3, 1, 2))


def resized(table_1hwD: Tensor, height: int, width: int) -> Tensor:
    """The position table for another grid: resized in fp32, bicubic with antialias."""
    if table_1hwD.shape[1:3] == (height, width):
        return table_1hwD
    table_1Dhw = table_1hwD.permute(0, 3, 1, 2).float()
    table_1Dhw = interpolated(table_1Dhw, (height, width), mode="bicubic", align_corners=False, antialias=True)
    return table_1Dhw.permute(0, 2, 3, 1).to(table_1hwD.dtype)


def interpolated(x: Tensor, sides: tuple[int, ...], **how: Any) -> Tensor:
    """torch's `interpolate` over all dimensions but the first two. Its backward pass refuses a GPU if algorithms must be
    deterministic: there one-hot images through torch give a matrix for each side, and products replace it."""
    if not torch.are_deterministic_algorithms_enabled():
        return F.interpolate(x, sides, **how)
    others = [1] * (len(sides) - 1)
    with torch.autocast(x.device.type, enabled=False):
        for dimension, side in enumerate(sides, 2):
            length = x.shape[dimension]
            # Along the last side: along another, torch 2.13 is wrong on a processor for images one pixel wide.
            one_hot = torch.eye(length, device=x.device, dtype=x.dtype).view(1, length, *others, length)
            weights = F.interpolate(one_hot, (*others, side), **how).view(length, side)
            x = (x.movedim(dimension, -1) @ weights).movedim(-1, dimension)
    return x
