"""Printed papers about money: what each says as plain values, and the same as PDF (templates/typst) and XLSX."""
