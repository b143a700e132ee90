// Package memory limits the memory that peers can make the process use.
//
// A Budget limits all connections together. Each connection has an Account, which reserves memory from the Budget in large
// steps. In the steady state, requests therefore touch no state that connections share. HTTP/2 and HTTP/3 streams are counted
// in it. An HTTP/1.1 connection counts only long heads and kept bodies: the sweeper of pkg/proxy estimates the rest
// (Budget.Sample). The share of one connection shrinks as the Budget fills (budget.go). A Tuner derives the Budget from the
// memory limit of the process.
//
// The package decides whether memory may be used. Callers decide what to count, and how to handle a refusal.
package memory
