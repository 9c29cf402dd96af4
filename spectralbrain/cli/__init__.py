"""The command line: parser, settings, run."""
