"""The assignment's manner: a new connection and a new thread for each message, a line of JSON there and one back.

    python3 new_connection.py server
    python3 new_connection.py client --port 40121 --count 1000 --in-flight 64 --bytes 16 --seconds 3
"""

import argparse
import json
import socket
import socketserver
import threading
import time
import uuid


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        message = json.loads(self.rfile.readline())
        ack = {"type": "ack", "id": message["id"], "receiver": "bench", "duplicate": False}
        self.wfile.write(json.dumps(ack).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 2048  # as many may knock at once: 1,024 in flight, and some more


def serve():
    with Server(("127.0.0.1", 0), Handler) as server:
        print(f"listening on port {server.server_address[1]}", flush=True)
        server.serve_forever()


class Load:
    """So many messages, by so many threads, each of which sends one after another."""

    def __init__(self, options):
        self.options = options
        self.body = "x" * options.bytes
        self.lock = threading.Lock()
        self.begun = 0
        self.latencies = []
        self.errors = []

    def may_begin(self):
        with self.lock:
            if self.begun == self.options.count or time.monotonic() > self.ends_at:
                return False
            self.begun += 1
            return True

    def send_one(self):
        message = {"type": "message", "id": str(uuid.uuid4()), "from": "client", "attempt": 1, "body": self.body}
        with socket.create_connection(("127.0.0.1", self.options.port), timeout=10) as connection:
            connection.sendall(json.dumps(message).encode() + b"\n")
            with connection.makefile("rb") as answer:
                ack = json.loads(answer.readline())
        if ack["id"] != message["id"]:
            raise ValueError(f"ack of another message: {ack}")

    def send_one_by_one(self):
        try:
            while self.may_begin():
                begun_at = time.monotonic()
                self.send_one()
                self.latencies.append(time.monotonic() - begun_at)
        except (OSError, ValueError) as error:
            self.errors.append(error)

    def run(self):
        lanes = [threading.Thread(target=self.send_one_by_one) for _ in range(self.options.in_flight)]
        started_at = time.monotonic()
        self.ends_at = started_at + self.options.seconds
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        seconds = time.monotonic() - started_at
        if self.errors:
            raise SystemExit(f"{len(self.errors)} threads failed, the first: {self.errors[0]}")
        latencies = sorted(self.latencies)

        def at_ms(part):
            return latencies[min(len(latencies) - 1, int(len(latencies) * part))] * 1000

        result = {"messages": len(latencies), "seconds": seconds, "medianMs": at_ms(0.5), "p99Ms": at_ms(0.99)}
        print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["server", "client"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=1)
    parser.add_argument("--bytes", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    if options.role == "server":
        serve()
    else:
        Load(options).run()


main()
