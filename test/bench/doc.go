// Command bench compares Limpet with other proxies: the same pods, the same sticky workload and one pinned core, in
// one run.
//
// The proxy under test runs alone on the first core. Pods and clients are one process on the second core. Rounds of
// all proxies are interleaved, so that other load on the machine affects all of them, and medians are compared. The
// main figure is the ratio of CPU time per request, which is read from the kernel's accounting of the proxy's
// processes. Absolute figures mean little on a shared machine. Every response is checked, so a proxy that is fast
// but not sticky fails.
//
// The configuration of the other proxies is in the directory config.
package main
