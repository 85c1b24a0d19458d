"""The counts of a labelling, added up over shards, and how the terminal prints them."""

from dataclasses import dataclass

from datagen.asking.profiles import FATES
from datagen.labelling.label_pages import Tally


@dataclass(frozen=True)
class Sums:
    """The counts of all shards. `busy_s` is the time in which any shard was being made, `servers` the number of servers."""

    tally: Tally
    busy_s: float
    servers: int
    price: float

    @property
    def num_pages(self) -> int:
        return self.tally.pages.total()

    @property
    def repetition_rate(self) -> float:
        """The share of labelled pages whose first answer was a loop."""
        return self.tally.first_loops / max(1, self.tally.asked)

    @property
    def cost(self) -> float:
        return self.price * self.servers * self.busy_s / 3600

    def lines(self) -> list[str]:
        fates = ", ".join(f"{n:,} {fate}" for fate in FATES if (n := self.tally.pages[fate]))
        pages_s, tokens_s = self.num_pages / max(1e-9, self.busy_s), self.tally.tokens_written / max(1e-9, self.busy_s)
        lines = [
            f"  asked about {self.num_pages:,} pages: {fates or 'none'}; repetition rate {self.repetition_rate:.2%}",
            f"  {pages_s:.2f} pages/s, {tokens_s:,.0f} tokens/s, {self.tally.tokens_read:,} tokens read and "
            f"{self.tally.tokens_written:,} written; {self.tally.written:,} answers bought, {self.tally.found:,} from the ledger",
        ]
        if self.price and self.num_pages:
            million = self.cost / self.num_pages * 1e6
            lines.append(
                f"  cost so far {self.cost:,.2f}, of a million pages {million:,.0f}, at {self.price:g} an hour of a server"
            )
        return lines
