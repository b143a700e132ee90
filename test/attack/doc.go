// Command attack attacks Limpet as hostile clients do, and reports what that costs: the memory and CPU of the process at
// its peak and after the attackers have left, and what an honest client beside them notices.
//
// Floods are paced: each connection sends 1,000 frames per second, so that the attackers do not take the cores themselves.
//
// It decides what the attackers do. It starts the limpet binary, pods and clients on loopback, and ends all of them; every
// phase is bounded. The test of this package is a short form that asserts memory, and that the honest
// client is served during floods.
package main
