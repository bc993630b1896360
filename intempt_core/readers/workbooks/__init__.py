"""Workbooks: a sheet as a table, the workbook's XML, and what a sheet shows by number formats and merged cells."""
