"""`python -m ansinh`."""

from ansinh.cli import app

app(prog_name="ansinh")
