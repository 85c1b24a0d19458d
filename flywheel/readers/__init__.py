"""The training of readers, a file for each kind. `datagen.engines` has the engines that read with them."""
