"""The doctor: answers by measurements why signals are not stored, slow, or not sent."""
