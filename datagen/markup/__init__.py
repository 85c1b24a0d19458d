"""Pages from markup, which a browser lays out."""
