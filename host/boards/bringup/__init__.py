"""Why a board does not answer: what its debug probe reads of the chip, and what that means."""
