"""What witnesses and time stamp authorities say of the record: checked, kept, and marked."""
