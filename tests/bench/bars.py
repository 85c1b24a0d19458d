"""The bars of the benchmarks: what a figure must come to. A figure that misses its bar says so in the line that prints it."""

NOT_MET = ": not met"


def at_least(figure: float, bar: float, unit: str = "") -> str:
    """`at least BAR`, and `NOT_MET` behind it where `figure`, in the same unit, is lower."""
    return f"at least {bar:g}{unit}{'' if figure >= bar else NOT_MET}"


def at_most(figure: float, bar: float, unit: str = "") -> str:
    """`at most BAR`, and `NOT_MET` behind it where `figure`, in the same unit, is higher."""
    return f"at most {bar:g}{unit}{'' if figure <= bar else NOT_MET}"
