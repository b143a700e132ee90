// Command bench compares Limpet with its rivals: the same pods, the same sticky work and one pinned core, in one run.
//
// The proxy under test runs alone on the first core; pods and load share the second. Rounds are interleaved, so that
// whatever else the machine does hits all alike, and medians are compared. What counts is the ratio of CPU time per
// request, read from the kernel's accounting of the proxy's processes; absolute figures mean little on a shared machine.
package main
