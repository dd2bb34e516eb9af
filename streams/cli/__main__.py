"""`python -m streams.cli`: the `encore` command."""

from streams.cli import main

main(prog_name="encore")
