"""`python -m eodata` is `eodata`."""

from eodata.cli.app import main

if __name__ == "__main__":
    main()
