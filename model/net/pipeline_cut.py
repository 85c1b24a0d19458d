"""The cut of the network into a pipeline's stages, and the ranks' shares of them. Without torch, for plans."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """The network in `stages`. The last ones have `layers` of the decoder: one number for each; (): evenly. The stages before
    have SAM with the compressor, and CLIP with the projector and the embedding: both in one, or each in its own. The default is
    one of up to three stages, and two of more. The paper's is `Cut(4)`."""

    stages: int = 1
    layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.layers and (min(self.layers) < 1 or self.stages - len(self.layers) not in (1, 2)):
            raise ValueError(f"layers {self.layers} of {self.stages} stages: one or two stages must be left for the encoder")

    @property
    def before(self) -> int:
        """The number of stages before those with layers."""
        return self.stages - len(self.layers) if self.layers else 0 if self.stages == 1 else 1 if self.stages < 4 else 2

    @property
    def has_towers_alone(self) -> bool:
        return self.before == 2

    def stage_of_layers(self, depth: int) -> list[int]:
        """The stage of each of `depth` layers. Raises `ValueError` if the stages' number of layers differs."""
        if self.layers:
            if sum(self.layers) != depth:
                raise ValueError(f"layers {self.layers}: the network has {depth}")
            return [self.before + n for n, num in enumerate(self.layers) for _ in range(num)]
        if depth < self.stages - self.before:
            most = depth + self.before
            raise ValueError(f"pipeline is {self.stages}: the network has {depth} layers, which makes {most} stages at most")
        return [self.before + n * (self.stages - self.before) // depth for n in range(depth)]


@dataclass(frozen=True)
class Layout:
    """The ranks' shares of a network.

    pipeline    stages, each a part of the network: `model/net/stages.py`
    replicate   copies of each stage
    shard       ranks that share the weights of one copy: FSDP2
    layers      the decoder's layers on each of the last stages; (): evenly

    rank = (stage * replicate + copy) * shard + the share's number. The ranks of one copy are neighbours, so a node of eight
    connects them.
    """

    pipeline: int = 1
    replicate: int = 1
    shard: int = 1
    layers: tuple[int, ...] = ()

    @property
    def cut(self) -> Cut:
        return Cut(self.pipeline, self.layers)

    @property
    def copies(self) -> int:
        """The number of ranks with different rows: the copies of each stage, times their shares."""
        return self.replicate * self.shard


ONE_RANK = Layout()
