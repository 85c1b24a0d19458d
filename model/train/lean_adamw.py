"""AdamW in less memory: weights in bf16 whose missing bits of fp32 the optimizer keeps, and moments in 8 bits.

    N numbers of a weight · R its rows · S blocks of a row

    bytes a weight          fp32      bf16      bf16, 8 bits
    weight                    4         2         2
    gradient                  4         2         2
    moments                   8         8         2 and a scale for each block of 64 to 256
    kept of fp32              0         2         2

A weight in fp32 is its bf16 and the 16 bits that follow, which are kept as whole numbers: together they move as fp32 would.
Moments in 8 bits are bitsandbytes' blockwise dynamic ones (arXiv 2110.02861), as in its AdamW8bit. That optimizer supports no
DTensors, with which ranks share weights, and keeps nothing of fp32; so its functions are used in torch's AdamW.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.optim.adamw import adamw

_AT_A_TIME = 1 << 24  # numbers of a weight that are in fp32 at a time
_FEW = 4096  # numbers: moments of larger weights are in 8 bits, as in bitsandbytes
_BLOCKS = (256, 128, 64)
_SLOTS = ("exp_avg", "exp_avg_sq")


def block(shape: tuple[int, ...]) -> int:
    """The numbers that share a scale in moments of 8 bits; 0 if a weight's moments stay in fp32, since it is small, or its rows
    can't be cut into blocks."""
    numel, rows = torch.Size(shape).numel(), shape[0] if shape else 0
    if numel < _FEW:
        return 0
    return next((size for size in _BLOCKS if numel // rows % size == 0), 0)


class LeanAdamW(torch.optim.Optimizer):
    """AdamW over weights in bf16 or fp32, with `moment_bits` of 32 or 8. Without 8 bits, weights in bf16 move as fp32 ones do by
    torch's AdamW from the same gradients, rounded. Ranks may share them. Raises `ValueError` for 8 bits without bitsandbytes."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float], moment_bits: int = 32):
        if moment_bits == 8 and find_spec("bitsandbytes") is None:
            raise ValueError("moments in 8 bits need bitsandbytes: pip install 'pagewheel[memory]'")
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": 1e-8, "weight_decay": 0.0})
        self._is_8_bit = moment_bits == 8

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        assert closure is None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    state = self.state[weight] or self._begun(weight)
                    self._move(own(weight), own(weight.grad), {name: own(value) for name, value in state.items()}, group)

    def _begun(self, weight: Tensor) -> dict[str, Tensor]:
        state = self.state[weight]
        state["step"] = torch.zeros((), device=weight.device)
        size = block(tuple(weight.shape)) if self._is_8_bit else 0
        for slot in _SLOTS:
            state[slot] = torch.zeros_like(weight, dtype=torch.uint8 if size else torch.float32)
            if size:
                own(state[slot]).fill_(int((_code(slot, torch.device("cpu")) == 0).nonzero()[0]))
                state[f"{slot}_scales"] = _scales(weight, size)
        if weight.dtype is torch.bfloat16:
            state["low"] = torch.zeros_like(weight, dtype=torch.int16)
        return state

    def _move(self, weight: Tensor, gradient: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
        for part in _parts(weight):
            weight_N, gradient_N = weight.view(-1)[part], gradient.view(-1)[part].float()
            low_N = state["low"].view(-1)[part] if "low" in state else None
            wide_N = weight_N if low_N is None else joined(weight_N, low_N)
            moments = [_Moment(state, slot, part) for slot in _SLOTS]
            first_N, second_N = (one.wide() for one in moments)
            adamw(
                [wide_N],
                [gradient_N],
                [first_N],
                [second_N],
                [],
                [state["step"].clone()],
                fused=True,
                amsgrad=False,
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
            )
            for one, value in zip(moments, (first_N, second_N), strict=True):
                one.keep(value)
            if low_N is not None:
                high_N, rest_N = parted(wide_N)
                weight_N.copy_(high_N)
                low_N.copy_(rest_N)
        state["step"] += 1


def joined(high_N: Tensor, low_N: Tensor) -> Tensor:
    """The fp32 of numbers in bf16 and their further 16 bits, int16, from `parted`."""
    return ((high_N.view(torch.int16).int() << 16) + low_N).view(torch.float32)


def parted(wide_N: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest bf16 of numbers in fp32, and the rest, int16."""
    bits_N = wide_N.view(torch.int32)
    high_N = (bits_N + 0x8000) >> 16
    return high_N.to(torch.int16).view(torch.bfloat16), (bits_N - (high_N << 16)).to(torch.int16)


class _Moment:
    """A moment of a part of a weight; in use it is fp32."""

    def __init__(self, state: dict[str, Tensor], slot: str, part: slice):
        self.slot, self.kept_N, self.scales_S = slot, state[slot].view(-1)[part], None
        if f"{slot}_scales" in state:
            scales = state[f"{slot}_scales"].view(-1)
            self.size = state[slot].numel() // max(1, scales.numel())
            self.scales_S = scales[part.start // self.size : part.stop // self.size]

    def wide(self) -> Tensor:
        if self.scales_S is None:
            return self.kept_N
        from bitsandbytes import functional  # slow to load, and optional

        code = _code(self.slot, self.kept_N.device)
        wide_N: Tensor = functional.dequantize_blockwise(self.kept_N, absmax=self.scales_S, code=code, blocksize=self.size)
        return wide_N

    def keep(self, wide_N: Tensor) -> None:
        if self.scales_S is not None:
            from bitsandbytes import functional

            kept_N, state = functional.quantize_blockwise(
                wide_N, code=_code(self.slot, wide_N.device), blocksize=self.size, nested=False
            )
            self.kept_N.copy_(kept_N)
            self.scales_S.copy_(state.absmax)


_CODES: dict[tuple[str, torch.device], Tensor] = {}


def _code(slot: str, device: torch.device) -> Tensor:
    """(256,): the values between -1 and 1 of 8-bit numbers; for squares, between 0 and 1."""
    from bitsandbytes import functional

    if (slot, device) not in _CODES:
        _CODES[slot, device] = functional.create_dynamic_map(signed=slot == "exp_avg").to(device)
    return _CODES[slot, device]


def _scales(weight: Tensor, size: int) -> Tensor:
    """(R, S) fp32, shared among ranks like the weight's rows."""
    share = own(weight)
    scales_RS = torch.zeros(len(share), share[0].numel() // size if len(share) else 0, device=share.device)
    if not isinstance(weight, DTensor):
        return scales_RS
    shape = torch.Size((len(weight), weight.numel() // len(weight) // size))
    return DTensor.from_local(
        scales_RS, weight.device_mesh, weight.placements, run_check=False, shape=shape, stride=(shape[1], 1)
    )


def _parts(weight: Tensor) -> Iterator[slice]:
    return (slice(start, min(start + _AT_A_TIME, weight.numel())) for start in range(0, weight.numel(), _AT_A_TIME))


def own(value: Tensor) -> Tensor:
    """This rank's part of `value`, in the same memory: its share, if ranks share it."""
    return value.to_local() if isinstance(value, DTensor) else value
