"""What keeps history's file trustworthy: backups, checks of damage and of writing, and what was there before."""
