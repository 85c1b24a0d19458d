"""Word documents: what their files say, set beside the pages that LibreOffice makes of them."""
