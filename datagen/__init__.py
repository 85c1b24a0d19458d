"""Documents and images in, annotated samples in WebDataset shards out."""
