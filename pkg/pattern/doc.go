// Package pattern compiles the regular expressions that tenants write in manifests, and matches values of requests
// against them in bounded time.
//
// It decides which expressions are small enough and which values are short enough. What a match means, and what
// happens where there is none, is left to its callers. Every expression of a manifest is compiled here: translation
// reports the error of Compile with the field, and the data plane uses the Pattern.
//
// A Pattern is a deterministic automaton, built in full by Compile. A match reads each byte of the value once,
// whatever the expression, allocates nothing and shares nothing that is written to. Package regexp is linear as well,
// but its cost for each byte grows with the expression: about 10 ns for each instruction.
package pattern
