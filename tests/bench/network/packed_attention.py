"""Attention over a row of packed samples, forward and backward, at the released heads: what the network uses beside other ways.

    python -m tests.bench.network.packed_attention [--length 8192] [--sample 1100] [--rounds 5]

On a processor the network takes sample after sample, and is compared with one product under a mask. On a CUDA device it takes
compiled flex attention, and is compared with that and with `torch.nn.attention.varlen`, in bf16. Each way's best round counts,
after one that isn't timed, and all ways must give the same values. The ratio is how many times as fast the network's way is.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from model.net.attention import attend, places
from model.net.config import full
from tests.bench.measuring import best, options

OURS = "the network's"


def row(length: int, sample: int) -> list[int]:
    """Lengths of samples, of `sample` positions on average, that fill a row: shorter and longer ones in turn."""
    lengths: list[int] = []
    rest = length
    while rest:
        lengths.append(min(rest, max(1, round(sample * (0.4, 1.0, 1.6)[len(lengths) % 3]))))
        rest -= lengths[-1]
    return lengths


def ways(lengths: list[int], device: torch.device) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """The ways to attend, by name; the network's own first. Each takes (1, N, L, K) three times and gives (1, N, L, K)."""
    samples_BL = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))[None].to(device)
    L = samples_BL.shape[1]
    seen = places(full().decoder, L, device, samples_BL, [lengths]).seen
    at_L = torch.arange(L, device=device)
    mask_LL = (samples_BL[0][:, None] == samples_BL[0]) & (at_L[:, None] >= at_L)
    named: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
        OURS: lambda q, k, v: attend(q, k, v, seen),
        "one product, masked": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask_LL),
    }
    if device.type == "cuda":
        from torch.nn.attention.varlen import varlen_attn

        ends_S = torch.tensor([0, *lengths], device=device).cumsum(0).int()

        def by_lengths(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            q_TNK, k_TNK, v_TNK = (x_BNLK[0].transpose(0, 1) for x_BNLK in (q, k, v))
            longest = max(lengths)
            y_TNK = varlen_attn(q_TNK, k_TNK, v_TNK, ends_S, ends_S, longest, longest, window_size=(-1, 0))
            assert isinstance(y_TNK, Tensor)  # no second value was asked for
            return y_TNK.transpose(0, 1)[None]

        named["varlen"] = by_lengths
    return named


def main() -> None:
    args = options(__doc__, length=8192, sample=1100, rounds=5).parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    decoder, lengths = full().decoder, row(args.length, args.sample)
    torch.manual_seed(0)
    size = (1, decoder.heads, args.length, decoder.width // decoder.heads)
    q, k, v = (torch.randn(size, device=device, dtype=dtype, requires_grad=True) for _ in range(3))
    weights = torch.randn(size, device=device, dtype=dtype)
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{args.length} positions of {len(lengths)} samples, {decoder.heads} heads of {size[-1]}, {dtype}, {where}")
    fewest_s: dict[str, float] = {}
    values: dict[str, Tensor] = {}

    def step(way: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
        y = way(q, k, v)
        (y * weights).sum().backward()
        return y

    for name, way in ways(lengths, device).items():
        values[name] = step(way).detach().float()
        fewest_s[name] = best(partial(step, way), args.rounds)
        print(f"  {name:<22} {fewest_s[name] * 1e3:8.1f} ms", flush=True)
    ours = values.pop(OURS)
    near = 2e-2 if dtype is torch.bfloat16 else 1e-4
    for name, theirs in values.items():
        torch.testing.assert_close(ours, theirs, rtol=near, atol=near)
        print(f"{fewest_s[name] / fewest_s[OURS]:.2f} times as fast as {name}")


if __name__ == "__main__":
    main()
