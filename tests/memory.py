"""How much memory a process has held."""

HELD = "int(__import__('pathlib').Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
"""Python for the KiB that the process which evaluates it has held at most. `ru_maxrss` will not do: a process counts
what the one held that started it as its own."""
