"""The stages and copies of ranks that train one network: a step's values, or those that follow from the number of ranks."""

from model.net.pipeline_cut import Layout
from model.train.step import Train


def filled(step: Train, world: int, begun: int = 0) -> Train:
    """`step` with more rows a step, if its rows follow the ranks: at least its own number, in equal loads for each rank with rows
    of its own. A training that has `begun` with a number of rows goes on with it, on any number of ranks."""
    if not step.batches.rows_follow:
        return step
    loads = max(1, world // step.parallel.pipeline) * step.batches.micro_rows
    return step.but(rows_per_step=begun or -(-step.batches.rows_per_step // loads) * loads)


def copied(step: Train, nodes: int, world: int) -> Train:
    """`step` with a number of copies of its weights, if it has none: one on each machine, or for a pipeline as many as there are
    ranks for, as in the paper. In a pipeline FSDP keeps gathered weights through the step, so sharing saves little. Weights in 4
    bits aren't shared."""
    if step.parallel.replicate > 1:
        return step
    pipeline = step.parallel.pipeline
    return step.but(replicate=max(1, world // pipeline if pipeline > 1 or step.weights.packed else nodes))


def layout(step: Train, world: int) -> Layout:
    """The layout of `step` on `world` ranks. Raises `ValueError` if their number doesn't fit."""
    parallel, rows_per_step = step.parallel, step.batches.rows_per_step
    least = parallel.pipeline * parallel.replicate
    if world % least:
        raise ValueError(
            f"pipeline is {parallel.pipeline}, replicate {parallel.replicate}, and there are {world} processes: it takes "
            f"{least}, or a multiple of that"
        )
    chosen = Layout(parallel.pipeline, parallel.replicate, world // least, parallel.stage_layers)
    rows = chosen.copies * (step.batches.micro_rows if parallel.pipeline > 1 else 1)
    if rows_per_step % rows:
        per = f" x {step.batches.micro_rows} micro_rows" if parallel.pipeline > 1 else ""
        raise ValueError(
            f"rows_per_step is {rows_per_step}: it must be a multiple of {rows}, which is {chosen.copies} ranks with rows "
            f"of their own{per}"
        )
    return chosen
