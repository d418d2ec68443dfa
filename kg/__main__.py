"""`python -m kg` is the command `kg`."""

from kg.cli import main

# Processes that are begun anew import this too, under another name.
if __name__ == "__main__":
    main()
