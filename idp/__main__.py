"""`python -m idp` is the command `achkych`."""

from idp.cli import main

main()
