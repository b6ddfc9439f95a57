"""The whole command set, to be said directly and through the gateway."""

from postern_testing.client import Client

MULTI_LINE = {"LIST", "UIDL"}  # without an argument; and RETR, TOP
EXACT = ("STAT", "LIST ", "UIDL ")  # their answer is in the status line


def walk(count: int) -> list[str]:
    """Every command, good and bad, in a mailbox of so many messages; removes none."""
    numbers = range(1, count + 1)
    return [
        "STAT", "LIST", "UIDL", "NOOP", "LIST 1", f"LIST {count}", f"LIST {count + 1}", "UIDL 2", f"UIDL {count + 1}", "RETR 0", f"RETR {count + 1}", "TOP 1",
        *(f"RETR {n}" for n in numbers),
        *(f"TOP {n} {lines}" for n in numbers for lines in (0, 1, 5, 100_000)),
        "DELE 1", "DELE 1", f"DELE {count + 1}", "RETR 1", "TOP 1 0", "LIST 1", "UIDL 1", "STAT", "LIST", "UIDL",
        f"DELE {count}", "STAT", "RSET", "STAT", "LIST", "FOO", "RETR one", "LIST", "NOOP", "QUIT",
    ]  # fmt: skip


def answers(client: Client, commands: list[str], pipelined: bool) -> list[tuple[str, bytes, bytes]]:
    """For each command: itself, what has to be equal of the status line, and the lines behind it."""
    found = []
    if pipelined:
        client.send("".join(f"{command}\r\n" for command in commands).encode())
    for command in commands:
        status = client.line() if pipelined else client.command(command)
        good = status.startswith(b"+OK")
        shown = status if good and command.startswith(EXACT) else status.split(b" ")[0]
        found.append((command, shown, client.multi() if good and _is_multi_line(command) else b""))
    client.close()
    return found


def _is_multi_line(command: str) -> bool:
    return command in MULTI_LINE or command.startswith(("RETR ", "TOP "))
