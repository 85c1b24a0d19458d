"""The whole network: DeepEncoder before a mixture-of-experts decoder. The paper's figure 3.

    B rows · L positions · D width · V vocabulary

Names and shapes of weights are ours, with a layer's experts stacked; `model/weights.py` reads and writes the released ones.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.cache import Cache
from model.clip import Embeddings
from model.config import ModelConfig
from model.cpu import Unbiased
from model.decoder import Decoder, RmsNorm
from model.deepencoder import DeepEncoder, placed
from model.image import Views
from model.moe import Experts, Router
from model.sam import Attention, Sam

# What can be trained or frozen, and the beginnings of its parameters' names; the first that fits counts.
PARTS = {
    "sam": ("encoder.sam.", "encoder.compressor."),
    "clip": ("encoder.clip.",),
    "projector": ("encoder.",),
    "experts": ("decoder.layers.*.mlp.experts.",),
    "embeddings": ("decoder.embed_tokens.", "lm_head."),
    "decoder": ("decoder.",),
}
# In the released checkpoint, and used by nothing.
_UNUSED = "encoder.clip.embeddings.patch_embedding.weight"


class DeepseekOcr(nn.Module):
    """`encoder` sees, `decoder` reads, `lm_head` says. As built, its weights are empty memory: `initialise` or load them."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.encoder = DeepEncoder(config)
        self.decoder = Decoder(config.decoder)
        self.lm_head = Unbiased(config.decoder.width, config.decoder.vocab_size)
        self.get_parameter(_UNUSED).requires_grad_(False)

    def forward(
        self,
        ids_BL: Tensor,
        images: Sequence[Views] = (),
        image_BL: Tensor | None = None,
        samples_BL: Tensor | None = None,
        cache: Cache | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(B, L, D) after the last norm, and the balance loss, 0 outside training. `logits` goes on from there.

        `image_BL` marks the placeholders: as many, from the first row's first to the last one's last, as `images` have tokens.
        `samples_BL` numbers the samples that share a row, and is `PADDING` where there is none; without it a row is one sample.
        """
        x_BLD = self.decoder.embed_tokens(ids_BL)
        if images:
            if image_BL is None:
                raise ValueError("images need image_BL, the places of their tokens")
            x_BLD = placed(x_BLD, image_BL, self.encoder(images))
        return self.decoder(x_BLD, samples_BL, cache)

    def logits(self, x_D: Tensor) -> Tensor:
        """(…, V) in fp32, of what `forward` gives, or of the positions of it that matter."""
        return self.lm_head(x_D).float()

    def num_parameters(self) -> tuple[int, int]:
        """All parameters; and those active on a token: the decoder's with the chosen experts alone, without the embedding."""
        config = self.config.decoder
        total = sum(p.numel() for p in self.parameters())
        experts = sum(p.numel() for m in self.modules() if isinstance(m, Experts) for p in m.parameters())
        parts = (self.decoder.layers, self.decoder.norm, self.lm_head)
        text = sum(p.numel() for part in parts for p in part.parameters())
        return total, text - experts + experts * config.num_experts_per_token // config.num_experts


def part_of(name: str) -> str:
    """Which of `PARTS` the parameter `name` belongs to."""
    plain = ".".join("*" if piece.isdigit() else piece for piece in name.split("."))
    return next(part for part, beginnings in PARTS.items() if plain.startswith(beginnings))


def train_only(net: DeepseekOcr, parts: Sequence[str]) -> None:
    """Let these of `PARTS` have gradients, and no others. Raises `ValueError` for a name that is none of them."""
    if unknown := sorted(set(parts) - set(PARTS)):
        raise ValueError(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(part_of(name) in parts and name != _UNUSED)


@torch.no_grad()
def initialise(net: DeepseekOcr, seed: int) -> DeepseekOcr:
    """`net` with fresh weights, which follow from `seed` alone: not from the threads, nor from what else draws numbers."""
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
    return net


def build(config: ModelConfig, seed: int = 0) -> DeepseekOcr:
    return initialise(DeepseekOcr(config), seed)
