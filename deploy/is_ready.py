"""Exit code 0 when the web process beside this one says that it can do its work: database, migrations, broker."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException  # noqa: TID251 - it asks its neighbour, outside the product

PATH = "/ready/"
PORT = 8000  # of the image's own command


def main() -> int:
    """Ask as the first host that is answered; anything but 200 is no."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    connection = HTTPConnection("127.0.0.1", PORT, timeout=8)
    try:
        connection.request("GET", PATH, headers={"Host": host})
        return int(connection.getresponse().status != HTTPStatus.OK)
    except (OSError, HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
