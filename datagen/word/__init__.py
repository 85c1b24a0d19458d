"""Word documents: the content of their files beside the pages that LibreOffice makes of them."""
