"""The parts of the HTML page: charts, tables, style and script."""
