"""How good predictions are against a ground truth: what `make score` measures, each in a file of its own."""
