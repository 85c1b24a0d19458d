"""At which risk an accepted label is wrong: bounds, and the pages that were judged."""
