"""DeepEncoder and its mixture-of-experts decoder: the network, its training on shards, its reading and its weights."""
