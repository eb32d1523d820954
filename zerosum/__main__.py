"""`python -m zerosum`: the command line, as torchrun needs it."""

from zerosum.cli import main

if __name__ == "__main__":
    main()
