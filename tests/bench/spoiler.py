"""A store in the way of which one octet is changed: a generator that does not notice measures nothing."""

import socket
import threading

RIGHT, WRONG = b"lazy dog", b"lazy fog"  # in the middle of every message


class Spoiler:
    """Passes plaintext on to a port and back, and changes a word on its way back."""

    def __init__(self, port: int) -> None:
        self.store = port

    def __enter__(self) -> "Spoiler":
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.plain = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return  # closed
            store = socket.create_connection(("127.0.0.1", self.store))
            threading.Thread(target=self._pass_on, args=(client, store), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(store, client, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, spoils: bool = False) -> None:
        try:
            while octets := source.recv(65536):
                target.sendall(octets.replace(RIGHT, WRONG) if spoils else octets)
        except OSError:
            pass  # the generator has seen enough
        target.close()
