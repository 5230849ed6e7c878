"""What pr1's pages share: their style, their template environment, and formulas as MathML."""
