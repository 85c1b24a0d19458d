"""General vision (the paper's 3.4.3): captions, objects and places of pictures."""
