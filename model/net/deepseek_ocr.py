"""The whole network: DeepEncoder before a mixture-of-experts decoder. The paper's figure 3.

    B rows · L positions · D width · V vocabulary

Names and shapes of the weights are ours: a layer's experts are stacked. `model/files/weights.py` reads and writes the released
names.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.net.attention import Lengths
from model.net.cache import Cache
from model.net.clip import Embeddings
from model.net.config import ModelConfig
from model.net.cpu import Unbiased
from model.net.decoder import Decoder, RmsNorm
from model.net.deepencoder import DeepEncoder, placed
from model.net.image import Views
from model.net.loss import IGNORED, losses
from model.net.moe import Experts, Router
from model.net.sam import Attention, Sam

# The parts that can be trained or frozen, with the beginnings of their parameters' names. The first part that fits counts.
PARTS = {
    "sam": ("encoder.sam.", "encoder.compressor."),
    "clip": ("encoder.clip.",),
    "projector": ("encoder.",),
    "experts": ("decoder.layers.*.mlp.experts.",),
    "embeddings": ("decoder.embed_tokens.", "lm_head."),
    "decoder": ("decoder.",),
}
# The released checkpoint has it, and nothing uses it.
UNUSED = "encoder.clip.embeddings.patch_embedding.weight"


class Losses(NamedTuple):
    """A batch's losses. `total` has the gradient: the sum over learned tokens of -log p, times the scale. `each_T` has -log p of
    each learned token in nats, in the order of the positions, row by row, without a gradient."""

    total: Tensor
    each_T: Tensor


class DeepseekOcr(nn.Module):
    """The network: `encoder`, `decoder` and `lm_head`. Its weights are empty memory until they are initialised or loaded."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.encoder = DeepEncoder(config)
        self.decoder = Decoder(config.decoder)
        self.lm_head = Unbiased(config.decoder.width, config.decoder.vocab_size)
        self.get_parameter(UNUSED).requires_grad_(False)

    def forward(
        self,
        ids_BL: Tensor,
        images: Sequence[Views] = (),
        image_T: Tensor | None = None,
        samples_BL: Tensor | None = None,
        cache: Cache | None = None,
        labels_BL: Tensor | None = None,
        scale: float = 1.0,
        balance_scale: float | None = None,
        learned_T: Tensor | None = None,
        lengths: Lengths | None = None,
    ) -> Tensor | Losses:
        """(B, L, D) after the last norm, for `logits`. With labels the `Losses` of their tokens.

        `image_T` are the places of the placeholders in all rows, one after the other (`deepencoder.places`): as many as `images`
        have tokens. `samples_BL` numbers the samples that share a row, and is `PADDING` after them. Without it each row is one
        sample. `labels_BL` has the token after each position, or `IGNORED`. `scale` is 1 over the learned tokens of a step, and
        `balance_scale` 1 over its samples: their sums over several batches are then the loss of the step. `learned_T` are the
        places of labels in all rows, one after the other, and `lengths` those of each row's samples; without them the call waits
        for the device. Raises `ValueError` for images without places.
        """
        x_BLD = self.decoder.embed_tokens(ids_BL)
        if images:
            if image_T is None:
                raise ValueError("images need image_T, the places of their tokens")
            x_BLD = placed(x_BLD, image_T, self.encoder(images))
        h_BLD: Tensor = self.decoder(x_BLD, samples_BL, cache, balance_scale, lengths)
        if labels_BL is None:
            return h_BLD
        # Inside of forward, where sharded weights are whole, and wrappers of the head are called.
        return self.losses(h_BLD, labels_BL, scale, learned_T)

    def losses(self, h_BLD: Tensor, labels_BL: Tensor, scale: float = 1.0, learned_T: Tensor | None = None) -> Losses:
        """The losses of `forward` with labels, from its output without labels."""
        if learned_T is None:
            learned_T = (labels_BL.flatten() != IGNORED).nonzero()[:, 0]
        h_TD, labels_T = h_BLD.flatten(0, 1).index_select(0, learned_T), labels_BL.flatten().index_select(0, learned_T)
        return Losses(*losses(self.lm_head, h_TD, labels_T, scale))

    def logits(self, x_D: Tensor) -> Tensor:
        """(…, V) in fp32, for the output of `forward` or for some of its positions."""
        return self.lm_head(x_D).float()

    def num_parameters(self) -> tuple[int, int]:
        """(all parameters, those active on a token). Active ones are the decoder's without the embedding, with the experts of one
        token."""
        config = self.config.decoder
        total = sum(p.numel() for p in self.parameters())
        experts = sum(p.numel() for m in self.modules() if isinstance(m, Experts) for p in m.parameters())
        parts = (self.decoder.layers, self.decoder.norm, self.lm_head)
        text = sum(p.numel() for part in parts for p in part.parameters())
        return total, text - experts + experts * config.num_experts_per_token // config.num_experts


def part_of(name: str) -> str:
    """The part of `PARTS` with the parameter `name`; "other" for names of other networks."""
    plain = ".".join("*" if piece.isdigit() else piece for piece in name.split("."))
    return next((part for part, beginnings in PARTS.items() if plain.startswith(beginnings)), "other")


def narrow(net: nn.Module) -> None:
    """Convert the weights of `net` to bf16, except those of routers, which multiply in fp32."""
    for module in net.modules():
        for parameter in () if isinstance(module, Router) else module.parameters(recurse=False):
            parameter.data = parameter.data.to(torch.bfloat16)


@torch.no_grad()
def initialise(net: DeepseekOcr, seed: int) -> DeepseekOcr:
    """`net` with fresh weights, which depend on `seed` alone, not on the number of threads."""
    source = torch.Generator().manual_seed(seed)
    std = net.config.init_std
    for module in net.modules():
        match module:
            case nn.LayerNorm():
                module.weight.fill_(1)
                module.bias.zero_()
            case RmsNorm():
                module.weight.fill_(1)
            case nn.Linear() | nn.Embedding() | nn.Conv2d():
                fan_in = module.weight[0].numel()
                module.weight.normal_(0, fan_in**-0.5 if isinstance(module, nn.Conv2d) else std, generator=source)
                if not isinstance(module, nn.Embedding) and module.bias is not None:
                    module.bias.zero_()
            case Router():
                module.weight.normal_(0, std, generator=source)
            case Experts():
                module.gate_up.normal_(0, std, generator=source)
                module.down.normal_(0, std, generator=source)
            case Attention():
                module.rel_pos_h.zero_()
                module.rel_pos_w.zero_()
            case Sam():
                module.pos_embed.normal_(0, std, generator=source)
            case Embeddings():
                module.class_embedding.normal_(0, module.class_embedding.numel() ** -0.5, generator=source)
            case DeepEncoder():
                module.init_marks(source)
    # White paper, 1 in all pixels, is zero after the first layer. Otherwise all patches would share it as a value far larger than
    # the ink, and a small network would take far longer to see the ink at all.
    patches = net.encoder.sam.patch_embed.proj
    assert patches.bias is not None
    patches.bias.copy_(-patches.weight.sum((1, 2, 3)))
    return net


def build(config: ModelConfig, seed: int = 0) -> DeepseekOcr:
    return initialise(DeepseekOcr(config), seed)
