"""Pages and tables that are set here, with the truth of what they show: tests and benchmarks read them."""
