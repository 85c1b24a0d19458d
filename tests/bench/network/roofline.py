"""What a training step of the released sizes could reach on a GPU, and which of its operations make the host wait for the device.

    python -m tests.bench.network.roofline [--rows 4]

By a trace without a device (`model/costs/traced.py`): a row of 8,192 tokens with pages in all modes, as `make recipe=train` has
them, `--rows` of them a step, one at a time. Nothing of it is timed: it is a bound from the cards' data sheets.
"""

from dataclasses import replace

from model.costs.activations import TOWERS
from model.costs.plan import BF16_8BIT, SET_UPS
from model.costs.traced import CARDS, roofline, trace, waiting
from model.net.config import full
from model.train.forecast import typical
from recipes.train import FULL
from tests.bench.measuring import options


def main() -> None:
    args = options(__doc__, rows=4).parse_args()
    load = typical(full(), FULL)
    for set_up in (*SET_UPS[:2], replace(SET_UPS[0], method=BF16_8BIT)):
        for towers in ((), TOWERS):
            print(
                f"trained: {set_up.name}, {set_up.method.name}; {'activations computed again' if towers else 'activations kept'}"
            )
            for card in CARDS:
                print(f"    {roofline(card, full(), load, set_up, towers, args.rows)}")
    waits = sorted({name for towers in ((), TOWERS) for name in waiting(trace(full(), load, towers, SET_UPS[0]))})
    print(f"operations that wait for the device: {', '.join(waits) or 'none'}")


if __name__ == "__main__":
    main()
