"""A board that answers: met, flashed where it must be, asked, and met again when it was lost."""
