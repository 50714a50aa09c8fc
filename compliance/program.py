"""The program's name: the one place from which help, hints and documentation's tests take it."""

PROGRAM = "hyperv-compliance"
"""The command that the wheel installs; `python -m compliance` is the same without an installation."""
