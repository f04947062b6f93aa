"""What students must not see: references, further cases and known wrong answers, by assignment."""
