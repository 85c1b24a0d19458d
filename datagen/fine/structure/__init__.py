"""What parts of pages are: headings, items, notes, running heads; told by a whole document."""
