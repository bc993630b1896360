"""Commands and requests as they are pasted: cURL, the words of a shell, and the keys in any form of a copied request."""
