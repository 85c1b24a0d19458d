"""How many stages and copies the ranks have that train one network together: a step's, or those that follow from its ranks."""

from model.net.pipeline_cut import Layout
from model.train.step import Train


def filled(step: Train, world: int, begun: int = 0) -> Train:
    """`step` with more rows a step, if they follow from the ranks: at least its own, and as many loads for each rank that has
    rows of its own. What has `begun` with a number of rows goes on with it, on however many ranks."""
    if not step.batches.rows_follow:
        return step
    loads = max(1, world // step.parallel.pipeline) * step.batches.micro_rows
    return step.but(rows_per_step=begun or -(-step.batches.rows_per_step // loads) * loads)


def copied(step: Train, nodes: int, world: int) -> Train:
    """`step` with copies of its weights, unless it says how many: one on each machine, or of a pipeline as many as there are
    ranks for, as in the paper. Within a pipeline FSDP keeps all that it gathers through the step, so sharing saves little. What
    is in 4 bits isn't shared."""
    if step.parallel.replicate > 1:
        return step
    pipeline = step.parallel.pipeline
    return step.but(replicate=max(1, world // pipeline if pipeline > 1 or step.weights.packed else nodes))


def layout(step: Train, world: int) -> Layout:
    """The layout of `step` on so many ranks. Raises `ValueError` if they aren't as many as it takes."""
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
