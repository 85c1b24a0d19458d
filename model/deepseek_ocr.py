"""The whole network under the released checkpoint's names.

    B samples · L positions · D width · V vocabulary · H W pixels

One view an image: tiles (gundam) are not here yet.
"""

import math

import torch
from torch import Tensor, nn

from model.clip import Clip, Embeddings
from model.config import ModelConfig
from model.decoder import Cache, Layer, RmsNorm, rotary
from model.deepencoder import Projector, encode, laid_out
from model.moe import MixtureOfExperts, Router
from model.sam import Attention, Sam


class DeepseekOcrModel(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        decoder = config.decoder
        self.decoder = decoder
        self.sam_model = Sam(config.sam)
        self.vision_model = Clip(config.clip)
        self.projector = Projector(2 * config.clip.width, decoder.width)
        self.image_newline = nn.Parameter(torch.empty(decoder.width))
        self.view_seperator = nn.Parameter(torch.empty(decoder.width))  # spelled so in the checkpoint
        self.embed_tokens = nn.Embedding(decoder.vocab_size, decoder.width)
        self.layers = nn.ModuleList(Layer(decoder, n < decoder.num_dense_layers) for n in range(decoder.depth))
        self.norm = RmsNorm(decoder.width)

    def images(self, x_B3HW: Tensor) -> Tensor:
        """(B, tokens an image, D). Gradients reach the encoder; the released code's do not."""
        grid_BhwD = encode(self.sam_model, self.vision_model, self.projector, x_B3HW)
        return laid_out(grid_BhwD, self.image_newline, self.view_seperator)

    def forward(
        self,
        ids_BL: Tensor,
        x_B3HW: Tensor | None = None,
        image_BL: Tensor | None = None,
        cache: Cache | None = None,
        real_BL: Tensor | None = None,
    ) -> Tensor:
        """(B, L, D) after the last norm. `image_BL` marks the placeholders, as many a row as an image has tokens.

        `real_BL` marks the positions that aren't padding: they alone count in the balance loss. Padding stands at the end, where
        no real position attends to it.
        """
        x_BLD = self.embed_tokens(ids_BL)
        if x_B3HW is not None:
            assert image_BL is not None, "pixels need image_BL, the places of their tokens"
            x_BLD = x_BLD.masked_scatter(image_BL[..., None], self.images(x_B3HW).to(x_BLD.dtype))
        start = cache.length if cache else 0
        head_dim = self.decoder.width // self.decoder.heads
        cos_LK, sin_LK = rotary(ids_BL.shape[1], start, head_dim, self.decoder.rope_theta, x_BLD.device)
        for n, layer in enumerate(self.layers):
            x_BLD = layer(x_BLD, cos_LK, sin_LK, cache, n, real_BL)
        return self.norm(x_BLD)


class DeepseekOcr(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.model = DeepseekOcrModel(config)
        self.lm_head = nn.Linear(config.decoder.width, config.decoder.vocab_size, bias=False)

    def logits(self, x_D: Tensor) -> Tensor:
        """(…, V) in fp32, of `DeepseekOcrModel`'s output or of the positions of it that matter."""
        return self.lm_head(x_D).float()

    def balance_loss(self) -> Tensor:
        """The sum over expert layers of the last training forward's balance loss."""
        losses = [m.balance_loss for m in self.modules() if isinstance(m, MixtureOfExperts) and m.balance_loss is not None]
        return torch.stack(losses).sum() if losses else torch.zeros(())

    def num_parameters(self) -> tuple[int, int]:
        """All parameters; and those active on a token: the decoder's with the chosen experts alone, without the embedding."""
        decoder = self.config.decoder
        total = sum(p.numel() for p in self.parameters())
        experts = sum(p.numel() for m in self.modules() if isinstance(m, MixtureOfExperts) for p in m.experts.parameters())
        parts = (self.model.layers, self.model.norm, self.lm_head)
        text = sum(p.numel() for part in parts for p in part.parameters())
        return total, text - experts + experts * decoder.num_experts_per_token // decoder.num_experts


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
            case Attention():
                module.rel_pos_h.zero_()
                module.rel_pos_w.zero_()
            case Sam():
                module.pos_embed.normal_(0, std, generator=source)
            case Embeddings():
                module.class_embedding.normal_(0, module.class_embedding.numel() ** -0.5, generator=source)
            case DeepseekOcrModel():
                for mark in (module.image_newline, module.view_seperator):
                    mark.normal_(0, 1 / math.sqrt(mark.numel()), generator=source)
    return net


def build(config: ModelConfig, seed: int = 0) -> DeepseekOcr:
    return initialise(DeepseekOcr(config), seed)
