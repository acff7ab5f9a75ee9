#!/usr/bin/env python3
"""Run the product from a checkout; needs only Python 3.11 or newer.

python3 run.py         install what is missing, then run everything with demo data (Ctrl-C stops it)
python3 run.py test    install what is missing, then run the tests
python3 run.py help    the other commands
"""

import sys

if sys.version_info < (3, 11):  # before any import: what follows is not readable to an older Python
    sys.exit("Python 3.11 or newer is needed; this is {}.{}.".format(*sys.version_info[:2]))

from tools.devstack import bootstrap

if __name__ == "__main__":
    sys.exit(bootstrap.main(sys.argv[1:]))
