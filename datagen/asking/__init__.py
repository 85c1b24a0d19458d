"""How a model is asked about pages, by whatever serves it, and what becomes of its answers before anybody believes them."""
