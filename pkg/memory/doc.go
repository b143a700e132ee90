// Package memory limits the memory that peers can make the process use.
//
// A Budget limits all connections together. Each connection has an Account, which counts its memory and reserves it
// from the Budget in large steps. In the steady state, requests therefore touch no state that connections share.
//
// The package decides whether memory may be used. Callers decide what to count, and how to handle a refusal.
package memory
