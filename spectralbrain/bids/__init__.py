"""BIDS names, sidecars and dataset discovery: strings, paths and JSON only."""
