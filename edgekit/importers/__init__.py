"""Formats that edgekit reads: one file each, chosen by content."""
