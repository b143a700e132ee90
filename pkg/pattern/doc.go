// Package pattern compiles the regular expressions in manifests and matches request values against them in bounded
// time.
//
// It bounds the size of expressions and values. Callers decide how a match is used. Every expression in a manifest is
// compiled here: translation reports the error of Compile with the field, and the data plane uses the Pattern.
//
// A Pattern is a complete deterministic automaton, built by Compile. A match reads each byte of the value once, for
// any expression. It allocates nothing and writes no shared state. Package regexp is linear as well, but its cost per
// byte grows with the expression, by about 10 ns for each instruction.
package pattern
