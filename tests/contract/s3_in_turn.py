"""moto's server, one request at a time: it looks whether a name is taken, and takes it, in two steps.

`python s3_in_turn.py PORT`, by the environment that has moto.
"""

import sys
from threading import Lock

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # type: ignore
from werkzeug.serving import run_simple  # type: ignore

moto, turn = DomainDispatcherApplication(create_backend_app), Lock()


def in_turn(environment, start_response):  # type: ignore
    with turn:
        return list(moto(environment, start_response))


run_simple("127.0.0.1", int(sys.argv[1]), in_turn, threaded=True)
