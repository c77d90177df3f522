// What a board says of itself when it starts.
#pragma once

// One line of text for who looks with a terminal, on a line that has a rate; nothing elsewhere. It
// stands between two delimiters and begins as no frame does, so that the host passes over it
// (host/link/frame.py).
void greet();
