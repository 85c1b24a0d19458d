"""The keys and values of a text under way, and a new token's attention to them.

B rows · N heads · K head dim · P positions shown · n blocks of S positions, P = n*S · G = n*B*N
"""

import torch
from torch import Tensor

from model.net.config import DecoderConfig
from model.net.cpu import product_dtype

_BLOCK = 64


class Cache:
    """The past of a batch, in buffers made once for `capacity` positions. Rows are aligned at their ends. `start_B` is the start
    of each row; padding lies before it.

    Positions lie in blocks, (n, B, N, S, K). So a growing past is one dense piece, which oneDNN multiplies without a copy. And
    shapes stay the same for a block's length: oneDNN makes a kernel for each shape, which takes longer than a token.
    """

    def __init__(self, config: DecoderConfig, start_B: Tensor, capacity: int, dtype: torch.dtype):
        self.capacity, self.length = capacity, 0
        self.start_B = start_B
        self.padded = bool(start_B.any())
        size = (config.depth, -(-capacity // _BLOCK), len(start_B), config.heads, _BLOCK, config.width // config.heads)
        dtype = product_dtype(dtype, start_B.device)  # so that no token widens the whole past
        # Zeros, because unseen positions are multiplied with 0.
        self.keys, self.values = (torch.zeros(size, dtype=dtype, device=start_B.device) for _ in range(2))

    def fill(self, layer: int, k_BNLK: Tensor, v_BNLK: Tensor) -> None:
        """Take a prompt's keys and values. `advance` makes them the past, after all layers have taken theirs."""
        self._check(k_BNLK.shape[2])
        for buffer, new_BNLK in ((self.keys, k_BNLK), (self.values, v_BNLK)):
            for n, part_BNSK in enumerate(new_BNLK.split(_BLOCK, 2)):
                buffer[layer, n, :, :, : part_BNSK.shape[2]] = part_BNSK

    def attend(self, layer: int, q_BN1K: Tensor, k_BN1K: Tensor, v_BN1K: Tensor, unseen_B11P: Tensor) -> Tensor:
        """(B, N, 1, K): a new token's attention to itself and to the past, except for `unseen` positions."""
        self._check(1)
        n, at = divmod(self.length, _BLOCK)
        for buffer, new_BN1K in ((self.keys, k_BN1K), (self.values, v_BN1K)):
            buffer[layer, n, :, :, at] = new_BN1K[:, :, 0]
        n += 1
        B, N, _, K = q_BN1K.shape
        k_GSK, v_GSK = (buffer[layer, :n].flatten(0, 2) for buffer in (self.keys, self.values))
        q_G1K = (q_BN1K * K**-0.5).to(k_GSK.dtype).expand(n, -1, -1, -1, -1).flatten(0, 2)
        s_BN1P = torch.bmm(q_G1K, k_GSK.mT).view(n, B, N, _BLOCK).permute(1, 2, 0, 3).reshape(B, N, 1, -1)
        p_BN1P = s_BN1P.masked_fill_(unseen_B11P, -torch.inf).softmax(-1)
        p_G1S = p_BN1P.view(B, N, n, 1, _BLOCK).permute(2, 0, 1, 3, 4).reshape(n * B * N, 1, _BLOCK)
        return torch.bmm(p_G1S, v_GSK).view(n, B, N, 1, K).sum(0).to(q_BN1K.dtype)

    def unseen(self) -> Tensor:
        """(B or 1, 1, 1, P): the positions in `attend` that a new token doesn't see."""
        at_P = torch.arange((self.length // _BLOCK + 1) * _BLOCK, device=self.start_B.device)
        unseen_BP = (at_P > self.length)[None]
        if self.padded:
            unseen_BP = unseen_BP | (at_P < self.start_B[:, None])
        return unseen_BP[:, None, None]

    def advance(self, num_positions: int) -> None:
        self.length += num_positions

    def drop(self, row: int) -> None:
        """Forget `row`. The last row takes its place. All rows are copied into one piece again."""
        rows = list(range(len(self.start_B)))
        rows[row] = rows[-1]
        del rows[-1]
        self.start_B, self.keys, self.values = self.start_B[rows], self.keys[:, :, rows], self.values[:, :, rows]

    def _check(self, num_new: int) -> None:
        end = self.length + num_new
        assert end <= self.capacity, f"the cache holds {self.capacity} positions; {end} are asked for"
