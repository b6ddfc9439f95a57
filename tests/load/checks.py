"""What a report of measurements requires, and what of it was missed."""


class Checks:
    def __init__(self) -> None:
        self.missed: list[str] = []

    def require(self, met: bool, otherwise: str) -> None:
        if not met:
            self.missed.append(otherwise)

    def status(self) -> int:
        """Says what was missed; the exit status."""
        for reason in self.missed:
            print(f"FAILED: {reason}")
        return 1 if self.missed else 0
