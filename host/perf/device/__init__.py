"""What a board is measured by: instructions, its line, how busy it is kept."""
