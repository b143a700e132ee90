// Package memory bounds how much memory peers make the process hold.
//
// A Budget is what all connections together may hold. Each connection has an Account, which counts what it holds and
// reserves that from the Budget in large steps: requests in the steady state touch no state that connections share.
//
// It decides whether something may be held. It leaves to its callers what they count, and how they refuse what may not be
// held.
package memory
