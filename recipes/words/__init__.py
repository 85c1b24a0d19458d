"""The words of recipes and verbs. Only the standard library is imported here."""
