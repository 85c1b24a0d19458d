"""Passing a dataset on: as Parquet for the Hugging Face viewer, or as shards, with a card."""
