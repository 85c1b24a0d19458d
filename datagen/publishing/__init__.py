"""A dataset passed on to others: as Parquet that the Hugging Face viewer shows, or as shards, with a card."""
