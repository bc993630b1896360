"""What a sheet of a workbook shows: numbers and dates by their formats, and merged cells."""
