"""Pasted commands and requests: cURL, the words of a shell, and the keys in a copied request of any form."""
