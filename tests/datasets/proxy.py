"""A bad line between client and server: slow, cut after some bytes, or silent. It listens on this machine only."""

import socket
import threading
import time
from contextlib import suppress

_BLOCK = 1 << 14


class Proxy:
    """Relays TCP connections; what the server says can be slowed down, cut short or held back."""

    def __init__(self, target: tuple[str, int], *, rate: float | None = None, cut: int | None = None) -> None:
        self.target, self.rate, self.cut = target, rate, cut
        self.silent = False
        self.relayed = 0  # bytes from the server, over all connections
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self._open += [client, server]
            threading.Thread(target=self._relay, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._relay, args=(server, client, True), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, answer: bool) -> None:
        left = self.cut if answer and self.cut is not None else 1 << 60
        with suppress(OSError):
            while left > 0 and (block := source.recv(min(_BLOCK, left))):
                while answer and self.silent:
                    time.sleep(0.01)
                sink.sendall(block)
                left -= len(block)
                if answer:
                    self.relayed += len(block)
                    time.sleep(len(block) / self.rate if self.rate else 0)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
