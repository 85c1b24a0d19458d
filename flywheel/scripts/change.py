"""A script's reader: the trunk, and a low-rank change to its weights that makes it read this script well.

Each large weight W of the trunk stays, and U V is learned beside it (Hu et al., LoRA, arXiv 2106.09685). Norms, biases and the
head are learned whole; the head starts from the trunk's rows of the script's symbols.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from datagen.disk.storage import Folder
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader
from datagen.engines.script_readers import resized
from flywheel.lines.crops import Crop
from flywheel.readers import compact
from flywheel.readers.ctc_training import batches_of, learn, loss_of_lines
from flywheel.scripts.trunk import NETWORK
from flywheel.step import Fit

RANK = 24
_LARGE = 4_000  # weights; smaller tensors are learned whole


def fit(
    config: Fit, crops: Sequence[Crop], trunk: Reader, folder: Folder, mark: str
) -> tuple[dict[str, Tensor], Alphabet, CompactConfig]:
    """The change to the trunk for `crops`, which are of one script, with the alphabet and the sizes of its network. After a kill
    the same call goes on from its checkpoint in `folder`."""
    torch.manual_seed(config.seed)
    alphabet = Alphabet.of(crops[0].script, (crop.text for crop in crops))
    network = CompactConfig(frames=NETWORK.frames, height=compact.network_for(config, crops).height)
    net = _started(trunk, alphabet, network)

    def loss(step: int, batch: Sequence[Crop]) -> Tensor | None:
        return loss_of_lines(net, alphabet, config, batch, step)

    learn(net, config, batches_of(config, crops, 0, network.height), loss, folder, mark)
    return _change(net), alphabet, network


class _LowRank(nn.Module):
    """A weight (O, ...) plus U V."""

    def __init__(self, weight: Tensor):
        super().__init__()
        rows, rest = len(weight), weight[0].numel()
        rank = min(RANK, rows, rest)
        self.up = nn.Parameter(torch.zeros(rows, rank))
        self.down = nn.Parameter(torch.randn(rank, rest) * rest**-0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


def _started(trunk: Reader, alphabet: Alphabet, network: CompactConfig) -> CompactNet:
    """A network of the trunk's weights, in which only learned ones need gradients."""
    net = CompactNet(network, len(alphabet.symbols) + 1)
    compact.inherit(net, alphabet, trunk.alphabet, resized(trunk.net.state_dict(), network))
    net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for name, module in list(net.named_modules()):
        weight = getattr(module, "weight", None)
        if name != "head" and weight is not None and weight.dim() > 1 and weight.numel() >= _LARGE:
            parametrize.register_parametrization(module, "weight", _LowRank(weight.detach()))
            module.parametrizations.weight.original.requires_grad_(False)
    return net


def _change(net: CompactNet) -> dict[str, Tensor]:
    """A trained network's change to the trunk's weights, as `script_readers.merged` takes it."""
    change = {}
    for name, value in net.state_dict().items():
        if name.endswith(".parametrizations.weight.original") or name.endswith("num_batches_tracked"):
            continue
        change[name.replace(".parametrizations.weight.0.", ".weight.")] = value.clone()
    return change
