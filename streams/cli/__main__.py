"""`python -m streams.cli`: the `encore` command of the interpreter that runs this."""

from streams.cli import main

main(prog_name="encore")
