"""Exit codes, as sysexits.h and the BIDS execution specification number them."""

OK = 0
FAILURES = 1  # some participant failed
USAGE = 64
DATA = 65
NO_INPUT = 66
SOFTWARE = 70
IO_ERROR = 74
TERMINATED = 143  # 128 + SIGTERM
INTERRUPTED = 130  # 128 + SIGINT
