"""Adapters to other people's models, one a file. An adapter only converts types; nobody imports it until it is used."""
