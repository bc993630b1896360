"""What people save in the console's own store: journeys, and targets without their keys."""
