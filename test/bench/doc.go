// Command bench compares Limpet with its rivals: the same pods, the same sticky work and one pinned core, in one run.
//
// The proxy under test runs alone on the first core; pods and load are one process on the second. Rounds are
// interleaved, so that whatever else the machine does hits all alike, and medians are compared. What counts is the ratio
// of CPU time per request, read from the kernel's accounting of the proxy's processes; absolute figures mean little on a
// shared machine. Every answer is checked: a proxy that is fast and not sticky fails.
//
// It decides what is measured and how it is judged. What the rivals are told is in the folder config.
package main
