"""The levels of headings, by a whole document."""
