"""Pages laid out from markup by a browser, with labels measured where the browser put them."""
