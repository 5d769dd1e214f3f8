//! What the reader does with right and wrong values. The trees are made by hand: the parser has its own tests.
