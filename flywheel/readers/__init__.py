"""One file a kind of reader: how it is trained. How it reads is its engine's business, in `datagen.engines`."""
