"""The ranks that train one network in a `layout`: this process among them, and their communication.

torchrun gives a process its place: RANK, LOCAL_RANK, WORLD_SIZE. Without these, or with a WORLD_SIZE of 1, the process is alone:
then nothing here does anything, and there is no process group.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from model.net.pipeline_cut import ONE_RANK, Layout
from model.train.layout import layout
from model.train.step import Train

T = TypeVar("T")

STEP_PATIENCE = timedelta(minutes=15)
"""How long ranks wait for each other within a step. A hanging rank doesn't hold the others longer."""
# Beside a step, ranks may wait for an evaluation of one of them, or for its tokenizer. If that rank ends, its connection ends,
# and they know immediately.
_PATIENCE, _WRITING = timedelta(days=1), timedelta(hours=1)
_AT_A_TIME = 256 << 20  # bytes of gradients that are summed in one call, unless one alone has more


class Ranks:
    """This process among all ranks. All communication between ranks goes through here."""

    def __init__(self, layout: Layout = ONE_RANK, rank: int = 0, device: str = "cpu"):
        self.layout, self.rank = layout, rank
        self.world = layout.pipeline * layout.copies
        self.stage, self.copy = divmod(rank, layout.copies)
        if self.world == 1:
            return
        sizes = (layout.pipeline, layout.replicate, layout.shard)
        meshes = init_device_mesh(device, sizes, mesh_dim_names=("pipeline", "replicate", "shard"))
        self.copies: DeviceMesh = meshes["replicate", "shard"] if layout.replicate > 1 else meshes["shard"]
        self.stages = meshes.get_group("pipeline")
        flat = init_device_mesh(device, (layout.pipeline, layout.copies), mesh_dim_names=("pipeline", "copies"))
        self._same_stage = flat.get_group("copies")
        for mesh in (meshes, flat):  # a mesh's groups have torch's own patience
            for name in mesh.mesh_dim_names or ():
                dist.distributed_c10d._set_pg_timeout(STEP_PATIENCE, mesh.get_group(name))
        # On processors, so that nothing waits for a GPU: for plain values, and for checkpoints, which a thread writes.
        self._soon, self._talk, self.writers = (
            dist.new_group(backend="gloo", timeout=timeout) for timeout in (STEP_PATIENCE, _PATIENCE, _WRITING)
        )

    @property
    def is_first(self) -> bool:
        """Whether this is the rank that writes single files."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        return self.world == 1

    def gathered(self, value: T, group: dist.ProcessGroup | None = None, soon: bool = False) -> list[T]:
        """The values of all ranks, plain ones. A thread needs a `group` of its own. `soon`: all ranks call it within
        `STEP_PATIENCE`."""
        if self.is_alone:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value, group=group or (self._soon if soon else self._talk))
        return values

    def any(self, value: bool, soon: bool = False) -> bool:
        """Whether `value` is true on at least one rank."""
        return any(self.gathered(value, soon=soon))

    def from_first(self, make: Callable[[], T]) -> T:
        """The result of `make` on the first rank, on all ranks. Its exception is raised on all."""
        if self.is_alone:
            return make()
        both: list[Any] = [None, None]
        if self.is_first:
            try:
                both[0] = make()
            except Exception as error:
                both[1] = error
        dist.broadcast_object_list(both, 0, group=self._talk)
        if both[1] is not None:
            raise both[1]
        made: T = both[0]
        return made

    def after_first(self, make: Callable[[], T]) -> T:
        """The result of `make`, called on the first rank before the others, which find its files on the disk."""
        made = make() if self.is_first else None
        self.gathered(None)
        return make() if made is None else made

    def summed(self, counts: Counter[str]) -> Counter[str]:
        """The sum of `counts` over all rows of a step. Raises `OSError` if the stages of a copy have different counts: one of
        them couldn't read a sample that others read."""
        all_counts = self.gathered(counts, soon=True)
        copies, total = self.layout.copies, Counter[str]()
        for rank, one in enumerate(all_counts):
            if one != all_counts[rank % copies]:
                raise OSError(
                    f"ranks {rank % copies} and {rank} are stages of one copy, and read other samples: a disk or a server failed "
                    "for one of them"
                )
        for one in all_counts[:copies]:
            total.update(one)
        return total

    def add_up(self, gradients: Sequence[Tensor]) -> None:
        """Replace the gradients of each copy of this stage by the sum over all copies. All copies have the same shapes."""
        if self.layout.copies == 1 or not gradients:
            return
        for some in _in_bytes(gradients, _AT_A_TIME):
            flat = torch.cat([one.flatten() for one in some]).float()
            dist.all_reduce(flat, group=self._same_stage)
            parts = flat.split([one.numel() for one in some])
            torch._foreach_copy_(some, [part.view_as(one) for part, one in zip(parts, some, strict=True)])

    def to_first(self, value: Tensor | None, place: Tensor | None, stage: int) -> None:
        """Copy the `value` of all copies of `stage` to `place` on the first rank."""
        sender = stage * self.layout.copies
        if self.is_first and place is not None:
            if sender == 0 and value is not None:
                place.copy_(value)
            else:
                dist.recv(place, sender)
        elif self.rank == sender and value is not None:
            dist.send(value.contiguous(), 0)

    def totals(self, values_N: Tensor) -> Tensor:
        """The sums over all ranks, bit for bit the same on each."""
        if not self.is_alone:
            dist.all_reduce(values_N)
        return values_N


ALONE = Ranks()


def _in_bytes(tensors: Iterable[Tensor], most: int) -> Iterator[list[Tensor]]:
    """Lists of neighbours of one dtype with at most `most` bytes, or a single tensor."""
    some: list[Tensor] = []
    num_bytes = 0
    for one in tensors:
        if some and (num_bytes + one.nbytes > most or one.dtype != some[0].dtype):
            yield some
            some, num_bytes = [], 0
        some.append(one)
        num_bytes += one.nbytes
    if some:
        yield some


@contextlib.contextmanager
def joined(step: Train) -> Iterator[Ranks]:
    """This process among the ranks of a training. Raises `ValueError` if the layout doesn't fit their number."""
    world = int(os.environ.get("WORLD_SIZE", 1))
    places = layout(step, world)
    if world == 1:
        yield Ranks()
        return
    on_gpu = step.compute.device.startswith("cuda") or (not step.compute.device and torch.cuda.is_available())
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=STEP_PATIENCE)
    try:
        yield Ranks(places, dist.get_rank(), "cuda" if on_gpu else "cpu")
    except SystemExit:
        dist.destroy_process_group()
        raise
    # After an error the process ends without cleanup: others may wait for it, and notice its end.
    dist.destroy_process_group()
