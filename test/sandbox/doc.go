// Package sandbox runs the tests of a package in their own network and PID namespaces.
//
// In the network namespace, all addresses of 10.250.0.0/16 are local, so that tests can bind and dial any number of
// pod addresses. The API server rejects loopback addresses in EndpointSlices. There is no route to other networks.
// All processes that the tests start end with them, even if the tests are killed.
//
// If the kernel does not permit namespaces, the tests fail. They are not skipped.
package sandbox
