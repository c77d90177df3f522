"""The host side of the bench: wire, link, devices, runs, records and reports."""
