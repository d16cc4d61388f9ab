"""acme2certifier as it is shipped, but over TLS, and with a list of what it was asked.

usage: over_tls.py CERTIFICATE KEY LIST

Its own program listens in the clear on every address. LIST gets a line for each request: method, path, and what was
signed where something was.
"""

import base64
import io
import json
import ssl
import sys
from wsgiref.simple_server import WSGIServer, make_server

from acme2certifier.share.acme2certifier_wsgi import application, get_handler_cls

CERTIFICATE, KEY, LIST = sys.argv[1:]


def signed(body):
    """The payload of a flat JWS; nothing where there is none."""
    try:
        payload = json.loads(body)["payload"]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)) or "null")
    except (ValueError, KeyError, TypeError):
        return None


def listed(environ, start_response):
    """Writes the request down and passes it on."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    entry = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "signed": signed(body)}
    with open(LIST, "a", encoding="utf-8") as requests:
        requests.write(json.dumps(entry) + "\n")
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.url_scheme"] = "https"
    return application(environ, start_response)


class Closing(WSGIServer):
    """Says that an answer is over (close_notify), so that a cut one can be told from a whole one."""

    def shutdown_request(self, request):
        try:
            request.unwrap()
        except OSError:
            pass
        super().shutdown_request(request)


server = make_server("127.0.0.1", 443, listed, Closing, get_handler_cls())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
