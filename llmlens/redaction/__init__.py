"""What must not leave with a file: secrets, cards, people. `Redactor` takes it out of texts."""

from .redactor import Redactor

__all__ = ["Redactor"]
