"""What any page is made of: ink, lines, paragraphs, regions and their order."""
