"""An IMAP server with mailboxes that exist as a list only: as many messages as the user's name says, no bodies.

It is there to be faster than the gateway, so it sends what was made before. It runs in a process of its own.
"""

import base64
import multiprocessing
import socket
import threading
from contextlib import ExitStack
from multiprocessing.connection import Connection

CAPABILITIES = "IMAP4rev1 LITERAL+ SASL-IR UIDPLUS ESEARCH AUTH=PLAIN"
UIDVALIDITY = 1795420640
MESSAGES_IN_A_CHUNK = 20_000


def message_size(number: int) -> int:
    """Between 1,000 and 101,000 octets, of all lengths that mail has."""
    return 1000 + number * 7919 % 100_000


def list_lines(messages: int) -> list[bytes]:
    """The answer to `UID FETCH 1:* (UID RFC822.SIZE)` without its last line; a message's UID is its number."""
    chunks = []
    for first in range(1, messages + 1, MESSAGES_IN_A_CHUNK):
        numbers = range(first, min(first + MESSAGES_IN_A_CHUNK, messages + 1))
        lines = (f"* {n} FETCH (UID {n} RFC822.SIZE {message_size(n)})\r\n" for n in numbers)
        chunks.append("".join(lines).encode())
    return chunks


class Session:
    def __init__(self, connection: socket.socket, mailboxes: dict[str, list[bytes]]) -> None:
        self.connection = connection
        self.mailboxes = mailboxes
        self.user = ""

    def run(self) -> None:
        with self.connection, self.connection.makefile("rb") as lines:
            self.say(f"* OK [CAPABILITY {CAPABILITIES}] ready")
            try:
                for line in lines:
                    tag, _, command = line.decode().rstrip("\r\n").partition(" ")
                    if not self.answer(tag, command):
                        return
            except OSError:
                pass  # the gateway has gone

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def answer(self, tag: str, command: str) -> bool:
        """False when the session is over."""
        done = f"{tag} OK done"
        if command.startswith("AUTHENTICATE PLAIN "):
            self.user = base64.b64decode(command.split()[2]).decode().split("\0")[1]
            self.say(f"{tag} OK [CAPABILITY {CAPABILITIES}] logged in")
        elif command.startswith("SELECT "):
            messages = int(self.user)
            state = (f"{messages} EXISTS", f"OK [UIDVALIDITY {UIDVALIDITY}]", f"OK [UIDNEXT {messages + 1}]")
            self.say(*(f"* {line}" for line in state), f"{tag} OK [READ-WRITE] selected")
        elif command == "UID FETCH 1:* (UID RFC822.SIZE)":
            for chunk in self.mailboxes[self.user]:
                self.connection.sendall(chunk)
            self.say(done)
        elif command == "LOGOUT":
            self.say("* BYE", done)
            return False
        else:
            self.say(done if command == "NOOP" else f"{tag} BAD what is {command}")
        return True


def serve(port_to: Connection, sizes: tuple[int, ...]) -> None:
    mailboxes = {str(messages): list_lines(messages) for messages in sizes}
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port_to.send(listener.getsockname()[1])
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Session(connection, mailboxes).run, daemon=True).start()


def start_list_server(stack: ExitStack, *sizes: int) -> int:
    """Its port. There is a mailbox for each of these numbers of messages; the user is called like the number."""
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=serve, args=(send, sizes), daemon=True)
    process.start()
    stack.callback(process.join)
    stack.callback(process.terminate)
    return receive.recv()
