// Command attack makes Limpet hold as much memory as a client can, and reports what that costs: the memory of the process at
// its peak and after the attackers have left, and what an honest client beside them notices.
//
// It decides what the attackers do. It starts the limpet binary, pods and clients on loopback, and ends all of them; every
// phase is bounded. The test of this package is a short form that only asserts memory.
package main
