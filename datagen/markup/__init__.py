"""Pages from markup: HTML is set in a look and cut into pages by a browser, so that what stands where is known."""
