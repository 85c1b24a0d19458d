"""The steps of an ablation."""
