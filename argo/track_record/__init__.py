"""Public track records: made from a bundle of the public record alone, so that a page and its proof
cannot differ."""
