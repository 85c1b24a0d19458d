"""What an annotated page's labels are worth: what speaks for a line, for a region, for the page."""
