"""The network: the paper's sections 3.1 to 3.3."""
