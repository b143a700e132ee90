// Command scale measures Limpet in clusters of 100, 1,000 and 10,000 Ingresses: memory, CPU and requests to the API server per
// change, the time until a change is in effect, and what clients notice meanwhile.
//
// It decides what is measured and what the targets are. It starts a real API server (test/controlplane) in a network namespace
// (test/sandbox), writes the objects, runs the limpet binary as a child process, and measures from outside: HTTP requests, the
// kernel's accounting of the process, and the metrics of both. Pods are objects only. One HTTP server responds on all of their
// addresses.
//
// With -check, it compares counts and ratios, which do not depend on the speed of the machine, with committed figures. With
// -simulate, it runs no processes, and prints the simulation of many replicas.
package main
