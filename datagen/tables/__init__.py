"""Tables: their cells, and how these are told from lines and rules."""
