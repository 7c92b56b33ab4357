"""The command line `interpnet`: parsing and printing only, one file a command."""
