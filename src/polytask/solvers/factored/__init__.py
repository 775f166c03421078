"""The trace norm by Newton steps in the factors L = B C'."""
