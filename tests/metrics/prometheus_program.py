"""A real Prometheus that scrapes an exporter of the test's own every second, where the program is installed."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from crossfade.rehearsal.processes import Launch, free_ports, start, stop
from tests.metrics.exporters import Exporter
from tests.waiting import wait_for

PROGRAM = shutil.which("prometheus")


@contextmanager
def real_prometheus(folder: Path, exporter: Exporter) -> Iterator[str]:
    """Its address; ended, with all that it wrote in `folder`, at the end."""
    assert PROGRAM is not None

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exporter.text().encode()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
            pass

    scraped, port = free_ports(2)
    job = f"{{job_name: router, static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]}}"
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs: [{job}]\n", encoding="utf-8"
    )
    argv = [
        PROGRAM,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    server = ThreadingHTTPServer(("127.0.0.1", scraped), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    process = start(Launch(argv=argv, log=folder / "prometheus.log", cwd=folder))
    try:
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/-/ready"))
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process, timeout=60)
        server.shutdown()
        thread.join()
        server.server_close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
