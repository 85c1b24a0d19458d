"""Sample data out of package registries."""
