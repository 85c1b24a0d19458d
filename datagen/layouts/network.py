"""The network over a page's elements, for training. `labeller.py` computes the same without torch.

Shapes: B pages, N elements, D the width, P features of a pair, H attention heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from datagen.layouts.features import HEAD, NUM_CLASSES, TAIL
from datagen.layouts.labeller import LABELS, NUM_LEVELS, Outputs

_SIGN, _PAIR, _HIDDEN, _DROPOUT = 16, 32, 48, 0.1


class Layer(nn.Module):
    """A pre-norm transformer layer. `bias` (B, H, N, N) is added to the attention's logits."""

    def __init__(self, width: int, num_heads: int, dropout: float):
        super().__init__()
        self.num_heads = num_heads
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm_2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, num, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(batch, num, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(batch, num, width)
        x = x + self.dropout(self.out(mixed))
        return x + self.dropout(self.down(functional.silu(self.up(self.norm_2(x)))))


class LayoutNetwork(nn.Module):
    """Logits of labels, of headings' levels, of two elements being in one region, and of one being read before another."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, num_features: int, num_pair: int, width: int = 160, depth: int = 5, num_heads: int = 8):
        super().__init__()
        self.num_heads, self.depth = num_heads, depth
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("deviation", torch.ones(num_features))
        self.sign, self.signs = nn.Embedding(NUM_CLASSES, _SIGN, padding_idx=0), nn.Linear(_SIGN * (HEAD + TAIL), width)
        self.up, self.down = nn.Linear(num_features, width), nn.Linear(width, width)
        self.pair_up, self.pair_down = nn.Linear(num_pair, _HIDDEN), nn.Linear(_HIDDEN, _PAIR)
        self.bias = nn.Linear(_PAIR, num_heads * depth)
        self.layers = nn.ModuleList(Layer(width, num_heads, _DROPOUT) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.label, self.level = nn.Linear(width, len(LABELS)), nn.Linear(width, NUM_LEVELS)
        self.first, self.second, self.both = nn.Linear(width, _HIDDEN), nn.Linear(width, _HIDDEN), nn.Linear(_PAIR, _HIDDEN)
        self.same, self.before = nn.Linear(_HIDDEN, 1), nn.Linear(_HIDDEN, 1)

    def forward(self, of_elements: Tensor, of_pairs: Tensor, signs: Tensor, mask: Tensor) -> Outputs:
        """`of_elements` (B, N, F), `of_pairs` (B, N, N, P), `signs` (B, N, HEAD + TAIL), `mask` (B, N): which are elements."""
        silu = functional.silu
        x = self.down(silu(self.up((of_elements - self.mean) / self.deviation))) + self.signs(self.sign(signs).flatten(2))
        pair = silu(self.pair_down(silu(self.pair_up(of_pairs))))
        batch, num, _ = x.shape
        bias = self.bias(pair).permute(0, 3, 1, 2).reshape(batch, self.depth, self.num_heads, num, num)
        bias = bias.masked_fill(~mask[:, None, None, None, :], -1e4)
        for n, layer in enumerate(self.layers):
            x = layer(x, bias[:, n])
        x = self.norm(x)
        hidden = silu(self.first(x)[:, :, None] + self.second(x)[:, None] + self.both(pair))
        same, before = self.same(hidden)[..., 0], self.before(hidden)[..., 0]
        return Outputs(self.label(x), self.level(x), same + same.transpose(1, 2), before - before.transpose(1, 2))
